/* Only aggregating functions can be assigned to an aggregation. */
/* line: 6 */

BEGIN
{
	@a = strlen("abc");
}
