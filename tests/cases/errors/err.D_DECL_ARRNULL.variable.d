/* An array needs a size. */
/* line: 3 */
int a[];
