/* Sums and means of negative numbers; a mean is rounded towards zero. */
#pragma D option quiet

BEGIN
{
	@s = sum(-3);
	@s = sum(-4);
	@a = avg(-3);
	@a = avg(-4);
	@lo = min(-3);
	@lo = min(2);
	@hi = max(-3);
	@hi = max(-4);
	printa("%@d ", @s);
	printa("%@d ", @a);
	printa("%@d ", @lo);
	printa("%@d\n", @hi);
	exit(0);
}
