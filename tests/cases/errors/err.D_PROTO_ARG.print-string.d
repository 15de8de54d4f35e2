/* line: 4 */
BEGIN
{
	print(execname);
}
