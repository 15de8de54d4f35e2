/* A time in UTC. */
#pragma D option quiet

BEGIN
{
	printf("%T\n", 1700000000000000000);
	printf("%T\n", 0L);
	exit(0);
}
