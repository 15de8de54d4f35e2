/* The names of probes as keys. */
#pragma D option quiet

BEGIN,
END
{
	@[probeprov, probename] = count();
	@["all", probename] = count();
}

BEGIN
{
	exit(0);
}

END
{
	printa("%s:%s %@d\n", @);
}
