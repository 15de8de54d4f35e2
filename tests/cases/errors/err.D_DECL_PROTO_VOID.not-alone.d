/* void stands alone. */
/* line: 3 */
int f(void, int);
