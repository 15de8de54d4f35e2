/* A second argument counts a value so many times. */
#pragma D option quiet

BEGIN
{
	@ = quantize(4, 3);
	@ = quantize(16);
	exit(0);
}
