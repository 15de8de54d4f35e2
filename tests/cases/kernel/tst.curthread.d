/* The kernel's own structures agree with the builtin variables. */
/* needs: kernel */
#pragma D option quiet

BEGIN
{
	printf("%d %d\n", curthread->pid == tid, curthread->tgid == pid);
	printf("%d\n", stringof(curthread->comm) == execname);
	printf("%d\n", curthread->group_leader->pid == pid);
	exit(0);
}
