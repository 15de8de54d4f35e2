/* An enumerator fits into 32 bits. */
/* line: 3 */
enum e { A = 0x100000000 };
