/* That of an inline too. */
/* line: 3 */
inline int f[void x] = 1;
