/* None has no elements. */
/* line: 3 */
int a[0];
