/* A constant index must lie in the array. */
/* line: 4 */
int a[3];
BEGIN { a[3] = 1; }
