/* An else needs its if. */
/* line: 7 */

BEGIN
{
	x = 1;
	else x = 2;
}
