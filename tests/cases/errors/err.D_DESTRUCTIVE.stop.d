/* line: 4 */
BEGIN
{
	stop();
	exit(0);
}
