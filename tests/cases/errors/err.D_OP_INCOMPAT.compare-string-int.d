/* A string is not compared with a number. */
/* line: 5 */

BEGIN
/"a" == 1/
{
	exit(0);
}
