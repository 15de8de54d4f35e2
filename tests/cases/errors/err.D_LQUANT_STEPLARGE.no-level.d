/* Bounds that are equal leave no room for a step. */
/* line: 6 */

BEGIN
{
	@ = lquantize(7, 10, 10);
}
