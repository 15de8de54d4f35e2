/* 40 columns for 8: one is 5, seven are 35. */
#pragma D option quiet
#pragma D option agghist

BEGIN
{
	@["seven"] = sum(7);
	@["one"] = sum(1);
	exit(0);
}
