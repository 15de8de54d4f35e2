/* Arrays are not assigned as a whole. */
/* line: 4 */
int a[3], b[3];
BEGIN { a = b; }
