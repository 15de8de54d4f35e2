/* The remainder of one, too. */
/* line: 6 */

BEGIN
{
	y = 7 % (3 - 3);
}
