#!/usr/sbin/dtrace -s
/*
 * intervals.d - the busiest system calls of each interval of $1 ms, $2 times; rates by the second.
 *
 * USAGE: intervals.d milliseconds count
 */

#pragma D option quiet
#pragma D option defaultargs

inline int TOP = 1;

dtrace:::BEGIN
{
	printf("%Y  tracing...\n", walltimestamp);
	left = $2 ? $2 : 3;
	since = timestamp;
}

syscall:::entry
/pid == $target/
{
	@calls[probefunc] = count();
	@total = count();
	total++;
}

profile:::tick-1ms
/timestamp - since >= ($1 ? $1 : 1000) * 1000000/
{
	trunc(@calls, TOP);
	printf("--- %d left\n", --left);
	printa("%-16s %@8d\n", @calls);
	clear(@calls);
	since = timestamp;
}

profile:::tick-1ms
/left == 0/
{
	exit(0);
}

dtrace:::END
{
	normalize(@total, 10);
	printa("tens %@d\n", @total);
	printf("ones %d\n", total);
}
