/* line: 4 */
BEGIN
{
	print((void *)8);
}
