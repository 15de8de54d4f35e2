/* return leaves a function from within its loops. */
#pragma D option quiet

function int
log2(long n)
{
	for (int i = 0; i < 63; i++) {
		if ((1L << i) >= n)
			return i;
	}
	return -1;
}

BEGIN
{
	printf("%d %d %d %d\n", log2(1), log2(1000), log2(1024), log2(1025));
	exit(0);
}
