#!/usr/bin/env -S invivo run
/*
 * Sizes of requests to block devices, by what they do (R read, W write, F flush, S synchronous).
 *
 * Usage: invivo run examples/block-sizes.d        (Ctrl-C ends it)
 *
 * SAMPLE
 */
#pragma D option quiet

sdt:block::block_rq_issue
{
    @[args.rwbs] = quantize(args.bytes);
}
