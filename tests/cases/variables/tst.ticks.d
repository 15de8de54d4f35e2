/* A global counts firings. */
#pragma D option quiet

tick-2ms
{
	n++;
}

tick-2ms
/n == 5/
{
	printf("%d\n", n);
	exit(0);
}
