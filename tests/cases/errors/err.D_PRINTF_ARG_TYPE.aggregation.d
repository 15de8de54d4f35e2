/* An aggregation has no value to print: that is what printa() is for. */
/* line: 6 */

BEGIN
{
	@ = count(); printf("%d", @);
}
