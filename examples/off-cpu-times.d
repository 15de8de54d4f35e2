#!/usr/bin/env -S invivo run
/*
 * How long threads are off the CPU at a time, by process, in microseconds.
 *
 * Usage: invivo run examples/off-cpu-times.d        (Ctrl-C ends it)
 *
 *   sleep
 *            value  ------------- Distribution ------------- count
 *            65536 |                                         0
 *           131072 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 1
 *           262144 |                                         0
 */
#pragma D option quiet

sched:::off-cpu
{
    self->left = timestamp;
}

sched:::on-cpu
/self->left/
{
    @[execname] = quantize((timestamp - self->left) / 1000);
    self->left = 0;
}
