/* A pointer cannot be taken from a number. */
/* line: 6 */

BEGIN
{
	x = 1; x -= alloca(10);
}
