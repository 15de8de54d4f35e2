/* A member of a number. */
/* line: 7 */

BEGIN
{
	x = 5;
	trace(x.y);
}
