/* The largest count fills 38 of 40 columns, half of it 19. */
#pragma D option quiet
#pragma D option aggzoom

BEGIN
{
	@ = quantize(1, 2);
	@ = quantize(2, 4);
	printa("%@d", @);
	exit(0);
}
