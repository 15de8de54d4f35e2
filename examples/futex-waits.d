#!/usr/bin/env -S invivo run
/*
 * Contended locks: time spent waiting in futex(2), by process, in microseconds.
 *
 * Usage: invivo run examples/futex-waits.d        (Ctrl-C ends it)
 *
 * PROCESS             CALLS     TOTAL us       MAX us
 * python                 24       806247       200101
 */
#pragma D option quiet

syscall::futex:entry
{
    self->start = timestamp;
}

syscall::futex:return
/self->start/
{
    this->us = (timestamp - self->start) / 1000;
    @waits[execname] = count();
    @total[execname] = sum(this->us);
    @longest[execname] = max(this->us);
    self->start = 0;
}

END
{
    printf("%-16s %8s %12s %12s\n", "PROCESS", "CALLS", "TOTAL us", "MAX us");
    printa("%-16s %@8d %@12d %@12d\n", @waits, @total, @longest);
}
