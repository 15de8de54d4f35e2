/* needs: kernel */
/* Before aggregations are read the tracer waits for a grace period, by membarrier(2). */
#pragma D option quiet
#pragma D option aggrate=20ms

BEGIN
{
	@ = count();
}

syscall::membarrier:entry
/pid == $pid/
{
	n++;
}

tick-2s
{
	printf("%d\n", n >= 5);
	exit(0);
}
