/* line: 4 */
BEGIN
{
	trace(json("{}", "a"));
}
