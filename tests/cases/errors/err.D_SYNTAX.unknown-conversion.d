/* There is no such conversion. */
/* line: 6 */

BEGIN
{
	printf("%y\n", 1);
}
