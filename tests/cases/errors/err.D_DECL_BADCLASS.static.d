/* D has no static variables. */
/* line: 3 */
static int x;
