/* An aggregating function is no expression. */
/* line: 6 */

BEGIN
{
	sum(3);
}
