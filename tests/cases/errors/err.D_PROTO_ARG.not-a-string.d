/* A subroutine's argument of the wrong type. */
/* line: 7 */

BEGIN
{
	x = 5;
	trace(strlen(x));
}
