#!/usr/bin/env -S invivo run
/*
 * System calls a second, of the whole machine, one line each second.
 *
 * Usage: invivo run examples/syscall-rate.d        (Ctrl-C ends it)
 *
 * 2026 Nov 25 04:59:40       255 calls
 * 2026 Nov 25 04:59:41      9758 calls
 * 2026 Nov 25 04:59:42    157748 calls
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
