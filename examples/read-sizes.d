#!/usr/bin/env -S invivo run
/*
 * Sizes of successful reads by process, as histograms.
 *
 * Usage: invivo run examples/read-sizes.d        (Ctrl-C ends it)
 *
 * SAMPLE
 */
#pragma D option quiet

syscall::read:return,
syscall::pread64:return
/errno == 0/
{
    @[execname] = quantize(arg0);
}
