#!/usr/bin/env -S invivo run
/*
 * Where threads leave the CPU, and for how many microseconds in all: kernel stacks by time lost.
 *
 * Usage: invivo run examples/off-cpu.d        (Ctrl-C ends it)
 *
 * SAMPLE
 */
#pragma D option quiet

sched:::off-cpu
{
    self->left = timestamp;
    self->place = stack();
}

sched:::on-cpu
/self->left/
{
    @[execname, self->place] = sum((timestamp - self->left) / 1000);
    self->left = 0;
}

END
{
    trunc(@, 10);
}
