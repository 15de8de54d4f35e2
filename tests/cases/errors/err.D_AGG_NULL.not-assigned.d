/* An aggregation has no value in an expression. */
/* line: 7 */

BEGIN
{
	@a = count();
	x = @a;
}
