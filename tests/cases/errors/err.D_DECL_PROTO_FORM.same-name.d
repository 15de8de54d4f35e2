/* Two parameters have two names. */
/* line: 3 */
int f(int x, char *x);
