/* A negative count keeps the lowest. */
#pragma D option quiet

BEGIN
{
	@["a"] = sum(1);
	@["b"] = sum(-2);
	@["c"] = sum(3);
	@["d"] = sum(4);
	trunc(@, -2);
	printa("%s %@d\n", @);
	trunc(@, 1);
	printa("%s %@d\n", @);
	trunc(@);
	printa("%s %@d\n", @);
	exit(0);
}
