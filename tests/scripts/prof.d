#!/usr/sbin/dtrace -s
/*
 * prof.d - samples of processes and of their modes, 997 times a second, with totals in percent.
 */

#pragma D option quiet
#pragma D option aggsortrev

profile:::profile-997hz
/pid == $target/
{
	@samples[execname, arg0 ? "kernel" : "user"] = count();
	@all = count();
	all++;
}

dtrace:::END
/all > 0/
{
	printa("%-16s %-8s %@6d\n", @samples);
	printa("all %@d\n", @all);
}
