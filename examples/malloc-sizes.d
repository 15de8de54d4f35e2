#!/usr/bin/env -S invivo run
/*
 * Sizes of memory that a process asks of malloc(3), and how many blocks it has not given back at the end.
 *
 * Usage: invivo run examples/malloc-sizes.d -c 'ls -l'       (or -p PID)
 *
 *   bytes
 *            value  ------------- Distribution ------------- count
 *                2 |                                         0
 *                4 |@@@                                      9
 *                8 |@@@@@@@@@@@@@                            41
 *               16 |@@@@@@@                                  23
 * ...
 *   blocks not given back: 34
 */
#pragma D option quiet

pid$target:libc:malloc:entry
{
    @sizes["bytes"] = quantize(arg0);
    @kept = sum(1);
}

pid$target:libc:free:entry
/arg0/
{
    @kept = sum(-1);
}

END
{
    printa(@sizes);
    printa("  blocks not given back: %@d\n", @kept);
}
