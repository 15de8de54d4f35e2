/* Steps are at least 1. */
/* line: 6 */

BEGIN
{
	@ = lquantize(1, 0, 10, 0);
}
