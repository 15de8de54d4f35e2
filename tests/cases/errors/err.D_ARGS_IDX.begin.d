/* BEGIN has no arguments. */
/* line: 6 */

BEGIN
{
	trace(args[0]);
}
