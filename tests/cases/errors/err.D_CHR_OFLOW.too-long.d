/* A character literal of more than an int. */
/* line: 6 */

BEGIN
{
	x = 'abcde';
}
