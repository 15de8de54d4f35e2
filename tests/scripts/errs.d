#!/usr/sbin/dtrace -s
/*
 * errs.d - system calls that failed, with how often each error came.
 */

#pragma D option quiet
#pragma D option switchrate=10hz

dtrace:::BEGIN
{
	printf("%-16s %-12s %5s %6s\n", "EXECNAME", "SYSCALL", "ERRNO", "COUNT");
}

syscall:::return
/errno != 0 && pid == $target/
{
	@errors[execname, probefunc, errno] = count();
}

dtrace:::END
{
	printa("%-16s %-12s %5d %@6d\n", @errors);
}
