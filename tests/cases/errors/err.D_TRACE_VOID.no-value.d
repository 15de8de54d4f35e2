/* line: 5 */

BEGIN
{
	trace((void)1);
	exit(0);
}
