/* Negative numbers have buckets of their own: -5 lies in -7..-4. */
#pragma D option quiet

BEGIN
{
	@ = quantize(-5);
	@ = quantize(-1);
	@ = quantize(-1);
	@ = quantize(1);
	exit(0);
}
