/* A conversion has one precision. */
/* line: 6 */

BEGIN
{
	printf("%.*.*d", 1, 2, 3);
}
