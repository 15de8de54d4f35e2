/* clear() keeps the keys and sets the values to 0. */
#pragma D option quiet

BEGIN
{
	@["k"] = sum(5);
	clear(@);
	printa("%s %@d\n", @);
	exit(0);
}

END
{
	@["k"] = sum(3);
	printa("%s %@d\n", @);
}
