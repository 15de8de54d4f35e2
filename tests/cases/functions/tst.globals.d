/* A function sees and changes globals. */
#pragma D option quiet

int calls;

function int
tally(int x)
{
	calls++;
	return x;
}

BEGIN
{
	y = tally(1) + tally(2) + tally(3);
	printf("%d %d\n", y, calls);
	exit(0);
}
