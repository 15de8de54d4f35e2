#!/usr/bin/env -S invivo run
/*
 * Failing system calls by process, call and error number.
 *
 * Usage: invivo run examples/errors.d        (Ctrl-C ends it)
 *
 * SAMPLE
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
