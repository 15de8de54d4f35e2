/* A literal of more than 64 bits. */
/* line: 6 */

BEGIN
{
	x = 18446744073709551616;
}
