/* A loop without end is stopped. */
#pragma D option quiet

#pragma D option maxloop=1000

BEGIN
{
	n = 0;
	while (1)
		n++;
	printf("never\n");
}

BEGIN
{
	printf("%d\n", n);
	exit(0);
}
