/* An array is read by its elements. */
/* line: 7 */

BEGIN
{
	a[1] = 1;
	trace(a);
}
