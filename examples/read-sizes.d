#!/usr/bin/env -S invivo run
/*
 * Sizes of successful reads by process, as histograms.
 *
 * Usage: invivo run examples/read-sizes.d        (Ctrl-C ends it)
 *
 *   cat
 *            value  ------------- Distribution ------------- count
 *               -1 |                                         0
 *                0 |@@@@@@@@@@@@@@@@@@@@                     172
 *                1 |                                         0
 *                2 |                                         0
 *                4 |                                         0
 *                8 |                                         0
 *               16 |                                         0
 *               32 |                                         0
 *               64 |                                         0
 *              128 |@                                        6
 *              256 |                                         3
 *              512 |@                                        5
 * ...
 */
#pragma D option quiet

syscall::read:return,
syscall::pread64:return
/errno == 0/
{
    @[execname] = quantize(arg0);
}
