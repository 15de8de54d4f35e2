BEGIN
{
	sym("main"); /* line: 3 */
	exit(0);
}
