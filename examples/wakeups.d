#!/usr/bin/env -S invivo run
/*
 * Who wakes whom, and how often.
 *
 * Usage: invivo run examples/wakeups.d        (Ctrl-C ends it)
 *
 * WAKER            WOKEN               COUNT
 * ...
 * python           sh                      1
 * sh               python                  1
 * sh               rcu_preempt             1
 * sort             ls                      1
 * sort             sh                      1
 * wc               sh                      1
 * ls               sort                    4
 * swapper/1        ls                      5
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
