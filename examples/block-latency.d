#!/usr/bin/env -S invivo run
/*
 * Time from a request's issue to its completion, by device, in microseconds.
 *
 * Usage: invivo run examples/block-latency.d        (Ctrl-C ends it)
 *
 * device 254:0, microseconds
 *            value  ------------- Distribution ------------- count
 *               16 |                                         0
 *               32 |@@@@@@@@@@@                              64
 *               64 |@@@@@@@@@                                51
 *              128 |@@@@                                     21
 *              256 |@@@@@@@@@@@@@@@@                         92
 *              512 |                                         2
 *             1024 |                                         0
 */
#pragma D option quiet

sdt:block::block_rq_issue
{
    issued[args.dev, args.sector] = timestamp;
}

sdt:block::block_rq_complete
/issued[args.dev, args.sector]/
{
    @[args.dev >> 20, args.dev & 0xfffff] = quantize((timestamp - issued[args.dev, args.sector]) / 1000);
    issued[args.dev, args.sector] = 0;
}

END
{
    printa("device %d:%d, microseconds%@d\n", @);
}
