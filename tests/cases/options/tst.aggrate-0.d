/* needs: kernel */
/* Not read while tracing, for there is room. */
#pragma D option quiet
#pragma D option aggrate=0

BEGIN
{
	@ = count();
}

syscall::membarrier:entry
/pid == $pid/
{
	n++;
}

tick-500ms
{
	printf("%d\n", n);
	exit(0);
}
