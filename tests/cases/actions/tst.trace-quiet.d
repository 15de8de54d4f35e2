/* trace() in quiet mode prints the value and no more. */
#pragma D option quiet

BEGIN
{
	trace(1);
	trace("two");
	trace(-3);
	trace((char)4);
	exit(0);
}
