/* There are as many of them in each use. */
/* line: 7 */

BEGIN
{
	a[1, 2] = 1;
	trace(a[1]);
}
