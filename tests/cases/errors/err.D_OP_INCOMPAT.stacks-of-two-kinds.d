/* A stack in the kernel and one in a process are two types. */
/* line: 6 */
BEGIN
{
	s = stack();
	s = ustack();
}
