/* There is no translator to that type. */
/* line: 11 */

struct point {
	int x;
};

BEGIN
{
	x = 5;
	trace(xlate <struct point>(x).x);
}
