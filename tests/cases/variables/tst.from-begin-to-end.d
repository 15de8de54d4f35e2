/* A global lives as long as the tracing. */
#pragma D option quiet

BEGIN
{
	n = 42;
	exit(0);
}

END
{
	printf("%d\n", n + 1);
}
