/* So does trunc(). */
/* line: 6 */

BEGIN
{
	trunc("x", 5);
}
