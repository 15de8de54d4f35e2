/* A character literal of more than a long. */
/* line: 6 */

BEGIN
{
	x = 'abcdefghi';
}
