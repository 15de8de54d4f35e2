/* A string is shown as the bytes that hold it. */
#pragma D option quiet
#pragma D option rawbytes
#pragma D option strsize=16

BEGIN
{
	s = "abc";
	trace(s);
	trace("abc");
	exit(0);
}
