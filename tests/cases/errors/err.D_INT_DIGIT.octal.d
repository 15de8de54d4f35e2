/* There is no 8 in an octal number. */
/* line: 7 */

BEGIN
{
	x = 1;
	y = 0778;
}
