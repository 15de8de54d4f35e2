/* 0, 1, 2, 4, 8: one of four is 1.75 of seven steps (x), three are 5.25 (x); zoomed 2.2 (x) and 6.65 (X). */
#pragma D option quiet
#pragma D option aggpack
#pragma D option aggzoom
#pragma D option encoding=ascii

BEGIN
{
	@["a"] = quantize(1, 3);
	@["a"] = quantize(4);
	printa(@);
	exit(0);
}
