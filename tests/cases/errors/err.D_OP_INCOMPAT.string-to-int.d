/* An int cannot become a string. */
/* line: 7 */

BEGIN
{
	x = 1;
	x = "one";
}
