/* An aggregation has no value that could be a key. */
/* line: 6 */

BEGIN
{
	@ = count(); @b[@] = sum(2);
}
