#!/usr/bin/env -S invivo run
/*
 * System calls that take longer than $1 microseconds (1000 if it is left out), as they happen.
 *
 * Usage: invivo run examples/slow-syscalls.d 5000        (Ctrl-C ends it)
 *
 * sleep             25401 clock_nanosleep           10076 us
 * sh                25400 wait4                     10188 us
 * sleep             25402 clock_nanosleep           20079 us
 * sh                25400 wait4                     21011 us
 * python            25398 poll                      32902 us
 */
#pragma D option quiet

#pragma D option defaultargs

inline int LIMIT_US = $1 > 0 ? $1 : 1000;

syscall:::entry
{
    self->start = timestamp;
}

syscall:::return
/self->start && (timestamp - self->start) / 1000 > LIMIT_US/
{
    printf("%-16s %6d %-20s %10d us\n", execname, pid, probefunc, (timestamp - self->start) / 1000);
}

syscall:::return
{
    self->start = 0;
}
