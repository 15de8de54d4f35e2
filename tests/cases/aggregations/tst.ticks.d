/* Each firing counts, however late it comes. */
#pragma D option quiet

tick-2ms
{
	@ = count();
}

tick-2ms
/++n == 4/
{
	exit(0);
}

END
{
	printa("%@d\n", @);
}
