/* Strings are not added. */
/* line: 7 */

BEGIN
{
	s = "a";
	trace(s + 1);
}
