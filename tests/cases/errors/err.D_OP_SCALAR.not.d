/* A string is neither true nor false. */
/* line: 7 */

BEGIN
{
	s = "x";
	trace(!s);
}
