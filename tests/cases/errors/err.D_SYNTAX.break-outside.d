/* break is only for loops. */
/* line: 6 */

BEGIN
{
	break;
}
