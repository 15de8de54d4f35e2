/* Nor such that lie in registers. */
/* line: 3 */
register int x;
