#!/usr/bin/env -S invivo run
/*
 * System calls a second, of the whole machine, one line each second.
 *
 * Usage: invivo run examples/syscall-rate.d        (Ctrl-C ends it)
 *
 * SAMPLE
 */
#pragma D option quiet

syscall:::entry
{
    @calls = count();
}

tick-1s
{
    printf("%Y", walltimestamp);
    printa("  %@8d calls\n", @calls);
    clear(@calls);
}
