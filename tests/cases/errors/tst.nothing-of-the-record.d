/* The data of a clause are sent together: what comes before a fault in the same record is lost with it. */
#pragma D option quiet

BEGIN
{
	x = 0;
	printf("lost %d\n", 1);
	printf("%d\n", 1 / x);
}

BEGIN
{
	exit(0);
}
