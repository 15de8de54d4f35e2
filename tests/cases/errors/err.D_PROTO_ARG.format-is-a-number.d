/* A format is a string. */
/* line: 6 */

BEGIN
{
	printf(17);
}
