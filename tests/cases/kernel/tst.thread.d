/* needs: kernel */
/* What the kernel keeps of the running thread. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d\n", vtimestamp > 0, fds[-1].fi_name == "<none>", curlwpsinfo->pr_lwpid == tid);
	printf("%d %d\n", uregs[R_RIP] != 0, curpsinfo->pr_ppid == ppid);
	exit(0);
}

syscall::write:entry
/pid == 0 && args[0] == 1/
{
	this->p = copyin(arg1, 1);
}
