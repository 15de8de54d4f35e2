#!/usr/bin/env -S invivo run
/*
 * Time that threads wait for a CPU after they are woken, in microseconds.
 *
 * Usage: invivo run examples/run-queue.d        (Ctrl-C ends it)
 *
 *   run-queue latency (us)
 *            value  ------------- Distribution ------------- count
 *               -1 |                                         0
 *                0 |@@@@@                                    19
 *                1 |@@@@@@@                                  30
 *                2 |@@@@@@                                   24
 *                4 |@@@                                      14
 *                8 |@@@@                                     18
 *               16 |@@@@@@@                                  27
 *               32 |@@@                                      13
 *               64 |@@                                       8
 *              128 |                                         0
 *              256 |                                         1
 *              512 |                                         2
 * ...
 */
#pragma D option quiet

sdt:sched::sched_wakeup,
sdt:sched::sched_wakeup_new
{
    woken[args.pid] = timestamp;
}

sched:::on-cpu
/woken[tid]/
{
    @["run-queue latency (us)"] = quantize((timestamp - woken[tid]) / 1000);
    woken[tid] = 0;
}
