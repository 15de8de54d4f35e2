/* An option holds for the whole program, wherever it stands. */
BEGIN
{
	trace(5);
}

BEGIN
{
#pragma D option quiet
	trace("six");
	exit(0);
}
