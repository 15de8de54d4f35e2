/* An enumerator is a constant. */
/* line: 3 */
enum e { A = pid };
