/* clear() takes an aggregation. */
/* line: 6 */

BEGIN
{
	clear(5);
}
