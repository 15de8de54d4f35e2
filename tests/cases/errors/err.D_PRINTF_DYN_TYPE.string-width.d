/* A width is a number. */
/* line: 6 */

BEGIN
{
	printf("%*d\n", "wide", 1);
}
