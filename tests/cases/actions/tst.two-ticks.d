/* Two rates: the slower one fires less often. */
#pragma D option quiet

tick-3ms
{
	fast++;
}

tick-40ms
{
	printf("%d\n", fast > 5);
	exit(0);
}
