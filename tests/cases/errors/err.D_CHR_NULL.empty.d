/* A character literal without a character. */
/* line: 6 */

BEGIN
{
	x = '';
}
