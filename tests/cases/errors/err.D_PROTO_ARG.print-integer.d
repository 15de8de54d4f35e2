/* line: 4 */
BEGIN
{
	print(3);
}
