/* line: 4 */
BEGIN
{
	panic();
}
