/* An array's size is positive. */
/* line: 3 */
int a[-3];
