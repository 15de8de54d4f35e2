/* The translated process is the running one. */
/* needs: kernel */
#pragma D option quiet

BEGIN
{
	printf("%d %d\n", curpsinfo->pr_pid == pid, curpsinfo->pr_ppid == ppid);
	printf("%d %d\n", curpsinfo->pr_fname == execname, curlwpsinfo->pr_lwpid == tid);
	exit(0);
}
