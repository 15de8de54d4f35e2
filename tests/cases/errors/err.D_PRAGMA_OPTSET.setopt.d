/* line: 4 */
BEGIN
{
	setopt("aggsortkeyy");
}
