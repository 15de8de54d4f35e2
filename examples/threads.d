#!/usr/bin/env -S invivo run
/*
 * Threads created, by process.
 *
 * Usage: invivo run examples/threads.d        (Ctrl-C ends it)
 *
 * PROCESS               PID  THREADS
 * python              25560        3
 */
#pragma D option quiet

proc:::lwp-create
{
    @threads[execname, pid] = count();
}

END
{
    printf("%-16s %8s %8s\n", "PROCESS", "PID", "THREADS");
    printa("%-16s %8d %@8d\n", @threads);
}
