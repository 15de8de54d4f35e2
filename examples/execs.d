#!/usr/bin/env -S invivo run
/*
 * Programs as they are started: parent, pid and the new name.
 *
 * Usage: invivo run examples/execs.d        (Ctrl-C ends it)
 *
 * SAMPLE
 */
#pragma D option quiet

proc:::exec-success
{
    printf("%Y %6d %6d %s\n", walltimestamp, ppid, pid, execname);
}
