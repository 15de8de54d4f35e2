/* A format is a literal. */
/* line: 6 */

BEGIN
{
	printf(execname);
}
