/* An action has no value to print. */
/* line: 6 */

BEGIN
{
	printf("%d", printf("x"));
}
