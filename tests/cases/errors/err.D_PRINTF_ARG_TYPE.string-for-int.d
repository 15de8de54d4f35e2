/* A string where the format wants a number. */
/* line: 6 */

BEGIN
{
	printf("%d\n", "one");
}
