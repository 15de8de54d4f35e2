#!/usr/bin/env -S invivo run
/*
 * System calls by process and name: what is this machine busy asking the kernel for?
 *
 * Usage: invivo run examples/syscall-counts.d        (Ctrl-C ends it)
 *
 * SAMPLE
 */
#pragma D option quiet

syscall:::entry
{
    @[execname, probefunc] = count();
}
