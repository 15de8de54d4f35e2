#!/usr/sbin/dtrace -qs
/*
 * newprocs.d - programs as they are executed, with the arguments that they were given.
 */

#pragma D option switchrate=10hz

dtrace:::BEGIN
{
	printf("%5s %5s %s\n", "UID", "PPID", "ARGS");
}

proc:::exec-success
/progenyof($target)/
{
	printf("%5d %5d %s\n", uid, ppid, curpsinfo->pr_psargs);
}
