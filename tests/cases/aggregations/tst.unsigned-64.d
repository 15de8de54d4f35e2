/* A sample is taken as signed: the greatest unsigned number is -1. */
#pragma D option quiet

BEGIN
{
	@ = sum(18446744073709551615UL);
	@ = sum(3);
	printa("%@d\n", @);
	exit(0);
}
