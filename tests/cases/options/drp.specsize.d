/* Room for two records of 24 bytes. */
#pragma D option quiet
#pragma D option specsize=64

BEGIN
{
	s = speculation();
}

BEGIN
{
	speculate(s);
	printf("%d\n", 1);
}

BEGIN
{
	speculate(s);
	printf("%d\n", 2);
}

BEGIN
{
	speculate(s);
	printf("%d\n", 3);
}

BEGIN
{
	speculate(s);
	printf("%d\n", 4);
}

BEGIN
{
	commit(s);
	exit(0);
}
