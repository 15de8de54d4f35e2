#!/usr/bin/env -S invivo run
/*
 * Where threads leave the CPU, to wait or because another has its turn: kernel stacks by process, the ten most frequent.
 *
 * Usage: invivo run examples/off-cpu.d        (Ctrl-C ends it)
 *
 * SAMPLE
 */
#pragma D option quiet

sched:::off-cpu
/pid != 0/
{
    @[execname, stack()] = count();
}

END
{
    trunc(@, 10);
}
