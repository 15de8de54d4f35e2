/* trunc() without a number removes every key. */
#pragma D option quiet

BEGIN
{
	@["k"] = sum(5);
	trunc(@);
	printa("%s %@d\n", @);
	exit(0);
}

END
{
	@["l"] = sum(3);
	printa("%s %@d\n", @);
}
