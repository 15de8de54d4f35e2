/* normalize() divides what is printed, and nothing else. */
#pragma D option quiet

BEGIN
{
	@["a"] = sum(1000);
	@["b"] = sum(2500);
	normalize(@, 1000);
	printa("%s %@d\n", @);
	exit(0);
}

END
{
	@["a"] = sum(1000);
	printa("%s %@d\n", @);
	denormalize(@);
	printa("%s %@d\n", @);
}
