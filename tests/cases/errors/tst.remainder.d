/* So does the remainder of one, in an assignment. */
#pragma D option quiet

BEGIN
{
	x = 5;
	zero = 0;
	x %= zero;
}

BEGIN
{
	printf("%d\n", x);
	exit(0);
}
