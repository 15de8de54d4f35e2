/* Steps are not negative. */
/* line: 6 */

BEGIN
{
	@ = llquantize(1, 10, 0, 6, -2);
}
