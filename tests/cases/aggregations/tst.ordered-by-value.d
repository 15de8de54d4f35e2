/* Rows come in the order of their values, equal ones in that of their keys. */
#pragma D option quiet

BEGIN
{
	@["c"] = sum(2);
	@["a"] = sum(2);
	@["d"] = sum(-1);
	@["b"] = sum(1);
	printa("%s=%@d ", @);
	printf("\n");
	exit(0);
}
