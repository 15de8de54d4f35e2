/* An aggregation that nothing assigns is unknown. */
/* line: 6 */

BEGIN
{
	trace(@never + 3);
}
