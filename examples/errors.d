#!/usr/bin/env -S invivo run
/*
 * Failing system calls by process, call and error number.
 *
 * Usage: invivo run examples/errors.d        (Ctrl-C ends it)
 *
 * PROCESS          CALL                  ERRNO      COUNT
 * sh               access                    2          1
 * sh               wait4                    10          1
 * ls               access                    2          2
 * ls               ioctl                    25          2
 * ls               statfs                    2          2
 * sh               newfstatat                2          8
 * ls               openat                    2         13
 */
#pragma D option quiet

syscall:::return
/errno != 0/
{
    @[execname, probefunc, errno] = count();
}

END
{
    printf("%-16s %-20s %6s %10s\n", "PROCESS", "CALL", "ERRNO", "COUNT");
    printa("%-16s %-20s %6d %@10d\n", @);
}
