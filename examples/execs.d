#!/usr/bin/env -S invivo run
/*
 * Programs as they are started: parent, pid and the new name.
 *
 * Usage: invivo run examples/execs.d        (Ctrl-C ends it)
 *
 * 2026 Nov 25 04:59:33  25264  25265 date
 * 2026 Nov 25 04:59:33  25264  25266 uptime
 * 2026 Nov 25 04:59:33  25264  25267 sleep
 */
#pragma D option quiet

proc:::exec-success
{
    printf("%Y %6d %6d %s\n", walltimestamp, ppid, pid, execname);
}
