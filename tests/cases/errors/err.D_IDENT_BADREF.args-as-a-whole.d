/* The arguments are taken one by one. */
/* line: 6 */

BEGIN
{
	trace(args);
}
