/* printa() takes aggregations. */
/* line: 7 */

BEGIN
{
	x = 1;
	printa("%d\n", x);
}
