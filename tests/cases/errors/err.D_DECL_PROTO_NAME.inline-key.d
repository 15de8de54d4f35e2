/* The key of an inline needs one. */
/* line: 3 */
inline int twice[int] = 2;
BEGIN { trace(twice[1]); }
