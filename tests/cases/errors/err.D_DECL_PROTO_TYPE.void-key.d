/* A key is something. */
/* line: 3 */
int a[int, void];
