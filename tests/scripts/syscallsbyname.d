#!/usr/sbin/dtrace -s
/*
 * syscallsbyname.d - system calls of a command by name, most last.
 *
 * USAGE: syscallsbyname.d -c COMMAND
 */

#pragma D option quiet

dtrace:::BEGIN
{
	printf("Tracing... Hit Ctrl-C to end.\n");
}

syscall:::entry
/pid == $target/
{
	@num[execname, probefunc] = count();
}

dtrace:::END
{
	printf("%-16s %-20s %8s\n", "EXECNAME", "SYSCALL", "COUNT");
	printa("%-16s %-20s %@8d\n", @num);
}
