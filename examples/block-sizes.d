#!/usr/bin/env -S invivo run
/*
 * Sizes of requests to block devices, by what they do (R read, W write, F flush, S synchronous).
 *
 * Usage: invivo run examples/block-sizes.d        (Ctrl-C ends it)
 *
 *   WS
 *            value  ------------- Distribution ------------- count
 *            32768 |                                         0
 *            65536 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 64
 *           131072 |                                         0
 */
#pragma D option quiet

sdt:block::block_rq_issue
{
    @[args.rwbs] = quantize(args.bytes);
}
