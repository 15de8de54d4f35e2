/* A local begins anew in each call. */
#pragma D option quiet

function int
count(int by)
{
	int total;
	total += by;
	return total;
}

BEGIN
{
	printf("%d %d %d\n", count(2), count(3), count(4));
	exit(0);
}
