/* A string has no complement. */
/* line: 7 */

BEGIN
{
	s = "x";
	trace(~s);
}
