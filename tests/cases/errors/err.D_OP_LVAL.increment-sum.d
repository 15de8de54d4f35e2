/* Nor can a sum be incremented. */
/* line: 7 */

BEGIN
{
	x = 1;
	(x + 1)++;
}
