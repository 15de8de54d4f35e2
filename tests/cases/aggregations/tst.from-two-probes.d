/* An aggregation belongs to no probe. */
#pragma D option quiet

BEGIN
{
	@ = sum(40);
	exit(0);
}

END
{
	@ = sum(2);
	printa("%@d\n", @);
}
