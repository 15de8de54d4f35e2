/* A sum of nothing but zeros is a zero, and is there. */
#pragma D option quiet

BEGIN
{
	@one["k"] = sum(0);
	@two = sum(0);
	printa("%s %@d\n", @one);
	printa("%@d\n", @two);
	exit(0);
}
