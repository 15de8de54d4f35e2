/* Two expressions with nothing between them. */
/* line: 6 */

BEGIN
{
	x = 1
	y = 2;
}
