/* A parameter has no storage of its own. */
/* line: 3 */
int f(static int);
