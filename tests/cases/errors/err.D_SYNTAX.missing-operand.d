/* An operator without its right side. */
/* line: 6 */

BEGIN
{
	x = 1 +;
}
