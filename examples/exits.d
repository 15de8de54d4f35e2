#!/usr/bin/env -S invivo run
/*
 * Processes as they end, with their lifetime in milliseconds where the start was seen.
 *
 * Usage: invivo run examples/exits.d        (Ctrl-C ends it)
 *
 * SAMPLE
 */
#pragma D option quiet

proc:::start
{
    born[pid] = timestamp;
}

proc:::exit
{
    this->ms = born[pid] ? (timestamp - born[pid]) / 1000000 : -1;
    this->how = args[0] == 1 ? "exited" : args[0] == 2 ? "killed" : "dumped core";
    printf("%-16s %6d %-12s %8d ms\n", execname, pid, this->how, this->ms);
    born[pid] = 0;
}
