/* A subroutine with too few arguments. */
/* line: 6 */

BEGIN
{
	trace(strjoin("a"));
}
