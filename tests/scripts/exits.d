#!/usr/sbin/dtrace -s
/*
 * exits.d - how processes ended: exited, killed or dumped, and with what status their parents were left.
 */

#pragma D option quiet

string why[int];

dtrace:::BEGIN
{
	why[CLD_EXITED] = "exited";
	why[CLD_KILLED] = "killed";
	why[CLD_DUMPED] = "dumped core";
}

proc:::exit
/progenyof($target)/
{
	@[execname, why[args[0]]] = count();
}
