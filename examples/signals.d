#!/usr/bin/env -S invivo run
/*
 * Signals by sender, receiver and number.
 *
 * Usage: invivo run examples/signals.d        (Ctrl-C ends it)
 *
 * SENDER           RECEIVER         SIGNAL    COUNT
 * sh               sh                   15        1
 * sh               sh                   17        1
 * sleep            sh                   17        1
 */
#pragma D option quiet

proc:::signal-send
{
    @[execname, args[1]->pr_fname, args[2]] = count();
}

END
{
    printf("%-16s %-16s %6s %8s\n", "SENDER", "RECEIVER", "SIGNAL", "COUNT");
    printa("%-16s %-16s %6d %@8d\n", @);
}
