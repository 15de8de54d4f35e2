/* Only pointers lead anywhere. */
/* line: 7 */

BEGIN
{
	x = 5;
	trace(*x);
}
