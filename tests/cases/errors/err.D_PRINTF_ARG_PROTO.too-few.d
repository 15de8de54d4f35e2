/* A conversion without its argument. */
/* line: 6 */

BEGIN
{
	printf("%d %d\n", 1);
}
