/* line: 5 */

BEGIN
{
	(1)(2);
	exit(0);
}
