/* line: 4 */
BEGIN
{
	trace((uintptr_t)&`there_is_no_such_symbol);
}
