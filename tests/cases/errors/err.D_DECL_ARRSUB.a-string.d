/* An array's size is an integer. */
/* line: 3 */
int a["x"];
