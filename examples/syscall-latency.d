#!/usr/bin/env -S invivo run
/*
 * Time spent in each system call: calls, mean and longest in microseconds, waiting included.
 *
 * Usage: invivo run examples/syscall-latency.d        (Ctrl-C ends it)
 *
 * SAMPLE
 */
#pragma D option quiet

syscall:::entry
{
    self->start = timestamp;
}

syscall:::return
/self->start/
{
    this->us = (timestamp - self->start) / 1000;
    @calls[probefunc] = count();
    @mean[probefunc] = avg(this->us);
    @longest[probefunc] = max(this->us);
    self->start = 0;
}

END
{
    printf("%-24s %10s %10s %10s\n", "CALL", "COUNT", "MEAN us", "MAX us");
    printa("%-24s %@10d %@10d %@10d\n", @calls, @mean, @longest);
}
