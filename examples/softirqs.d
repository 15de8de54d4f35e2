#!/usr/bin/env -S invivo run
/*
 * Time in software interrupts, by number (3 network receive, 4 block, 7 scheduler, 9 RCU), in nanoseconds.
 *
 * Usage: invivo run examples/softirqs.d        (Ctrl-C ends it)
 *
 *         9
 *            value  ------------- Distribution ------------- count
 *              256 |                                         0
 *              512 |@@@                                      5
 *             1024 |@@                                       3
 *             2048 |@@@@                                     8
 *             4096 |@@@@@@                                   12
 *             8192 |@@@@@@@@@@@@@                            25
 *            16384 |@@@@@@@@@@@                              21
 *            32768 |@                                        1
 *            65536 |                                         0
 */
#pragma D option quiet

sdt:irq::softirq_entry
{
    entered[cpu] = timestamp;
}

sdt:irq::softirq_exit
/entered[cpu]/
{
    @[args.vec] = quantize(timestamp - entered[cpu]);
    entered[cpu] = 0;
}
