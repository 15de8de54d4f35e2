/* Only printa() prints aggregations. */
/* line: 6 */

BEGIN
{
	printf("%@d\n", 1);
}
