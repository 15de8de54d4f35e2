/* Nor has a key. */
/* line: 3 */
int a[extern int];
