#!/usr/bin/env -S invivo run
/*
 * Time spent in each system call: calls, mean and longest in microseconds, waiting included.
 *
 * Usage: invivo run examples/syscall-latency.d        (Ctrl-C ends it)
 *
 * CALL                          COUNT    MEAN us     MAX us
 * ...
 * execve                          236         14        176
 * read                            411        354      32717
 * rt_sigprocmask                  560          0          0
 * rt_sigaction                    743          0          0
 * mmap                            946          1         15
 * close                           962          0        185
 * openat                         1403          0        166
 * newfstatat                     1863          0          6
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
