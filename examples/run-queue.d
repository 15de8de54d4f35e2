#!/usr/bin/env -S invivo run
/*
 * Time that threads wait for a CPU after they are woken, in microseconds.
 *
 * Usage: invivo run examples/run-queue.d        (Ctrl-C ends it)
 *
 * SAMPLE
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
