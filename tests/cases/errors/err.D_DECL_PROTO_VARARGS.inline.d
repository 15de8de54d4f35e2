/* So are those of an inline. */
/* line: 3 */
inline int f[int x, ...] = x;
