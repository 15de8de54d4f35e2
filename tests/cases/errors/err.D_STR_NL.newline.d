/* A string ends on its line. */
/* line: 6 */

BEGIN
{
	trace("one
two");
}
