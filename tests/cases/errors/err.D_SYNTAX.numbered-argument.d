/* Conversions take their arguments in order. */
/* line: 6 */

BEGIN
{
	printf("%2$d", 1, 2);
}
