/* printa() without a format prints what the end would. */
#pragma D option quiet

BEGIN
{
	@["k"] = sum(12);
	printa(@);
	exit(0);
}
