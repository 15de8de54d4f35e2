/* The least and the greatest 64-bit numbers. */
#pragma D option quiet

BEGIN
{
	@lo = min(-9223372036854775807 - 1);
	@hi = max(9223372036854775807);
	@hi = max(-1);
	printa("%@d\n", @lo);
	printa("%@d\n", @hi);
	exit(0);
}
