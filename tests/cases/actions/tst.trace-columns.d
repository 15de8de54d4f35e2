/* trace() prints by columns: heading, probe, and each value in its type's width. */

BEGIN
{
	trace(1);
	trace(2L);
	trace((char)3);
	trace((short)4);
	trace(5UL);
	trace("six");
	exit(0);
}
