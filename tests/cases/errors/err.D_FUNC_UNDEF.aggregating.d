/* No function of that name, aggregating or not. */
/* line: 6 */

BEGIN
{
	@ = typical(3);
}
