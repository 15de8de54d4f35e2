/* A number where it wants a string. */
/* line: 7 */

BEGIN
{
	x = 1;
	printf("%s\n", x);
}
