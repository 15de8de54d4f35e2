/* A structure of the kernel is recorded as it lies. */
/* needs: kernel */
#pragma D option quiet

BEGIN
{
	@[curthread->comm] = count();
	a[curthread->pid] = 1;
	printf("%d\n", a[tid]);
	printa("%@d\n", @);
	exit(0);
}
