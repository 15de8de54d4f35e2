#!/usr/sbin/dtrace -s
/*
 * sizes.d - distribution of the sizes that read(2) returns, by process; $1 is the smallest size that counts.
 */

#pragma D option quiet
#pragma D option defaultargs

inline int LEAST = $1;

syscall::read:return
/(int)arg0 >= LEAST && errno == 0 && pid == $target/
{
	@dist[pid, execname] = quantize(arg0);
}

END
{
	printa("  PID: %-6d CMD: %s\n%@d\n", @dist);
}
