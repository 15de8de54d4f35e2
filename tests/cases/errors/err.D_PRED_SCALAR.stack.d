/* A stack is no number. */
/* line: 9 */
BEGIN
{
	s = stack();
}

END
/s/
{
}
