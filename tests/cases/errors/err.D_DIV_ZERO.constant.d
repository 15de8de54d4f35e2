/* A division by a constant 0. */
/* line: 7 */

BEGIN
{
	x = 1;
	y = x / 0;
}
