/* The factor is at least 2. */
/* line: 6 */

BEGIN
{
	@ = llquantize(1, 1, 0, 2, 10);
}
