/* There is no such function. */
/* line: 6 */

BEGIN
{
	nosuch(1);
}
