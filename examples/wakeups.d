#!/usr/bin/env -S invivo run
/*
 * Who wakes whom, and how often.
 *
 * Usage: invivo run examples/wakeups.d        (Ctrl-C ends it)
 *
 * SAMPLE
 */
#pragma D option quiet

sched:::wakeup
{
    @[execname, args[1]->pr_fname] = count();
}

END
{
    printf("%-16s %-16s %8s\n", "WAKER", "WOKEN", "COUNT");
    printa("%-16s %-16s %@8d\n", @);
}
