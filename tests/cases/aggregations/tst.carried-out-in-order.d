/* printa() and its kin are carried out when the record arrives: they see all that the clause counted. */
#pragma D option quiet

BEGIN
{
	@ = sum(1);
	printa("%@d ", @);
	@ = sum(2);
	clear(@);
	printa("%@d\n", @);
	exit(0);
}
