#!/usr/bin/env -S invivo run
/*
 * How long calls of a function of a program or library take, in nanoseconds, with what it calls. $1 is the file's name
 * (a.out: the program), $2 the function's; both may have wildcards.
 *
 * Usage: invivo run examples/function-latency.d libc 'fread*' -c 'sort /etc/passwd'       (or -p PID)
 *
 *   libc.so.6 fread_unlocked
 *            value  ------------- Distribution ------------- count
 *              256 |                                         0
 *              512 |@@@@@@@@@@@@@@@@@@@@                     1
 *             1024 |                                         0
 *             2048 |                                         0
 *             4096 |@@@@@@@@@@@@@@@@@@@@                     1
 *             8192 |                                         0
 */
#pragma D option quiet

pid$target:$1:$2:entry
{
    self->start[probefunc] = timestamp;
}

pid$target:$1:$2:return
/self->start[probefunc]/
{
    @[probemod, probefunc] = quantize(timestamp - self->start[probefunc]);
    self->start[probefunc] = 0;
}

END
{
    printa("\n  %s %s%@d", @);
}
