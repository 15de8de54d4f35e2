/* line: 4 */
BEGIN
{
	ustack(3, -1);
}
