/* line: 4 */
BEGIN
{
	chill(1);
	exit(0);
}
