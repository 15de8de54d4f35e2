/* A literal cannot be assigned to. */
/* line: 6 */

BEGIN
{
	5 = 6;
}
