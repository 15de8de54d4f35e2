#!/usr/bin/env -S invivo run
/*
 * Processes as they end, with their lifetime in milliseconds where the start was seen.
 *
 * Usage: invivo run examples/exits.d        (Ctrl-C ends it)
 *
 * sleep             25271 exited            101 ms
 * sh                25272 killed              0 ms
 * date              25273 exited              0 ms
 * sh                25270 exited             -1 ms
 */
#pragma D option quiet

proc:::start
{
    born[pid] = timestamp;
}

proc:::exit
{
    this->ms = born[pid] ? (int64_t)(timestamp - born[pid]) / 1000000 : -1;
    this->how = args[0] == 1 ? "exited" : args[0] == 2 ? "killed" : "dumped core";
    printf("%-16s %6d %-12s %8d ms\n", execname, pid, this->how, this->ms);
    born[pid] = 0;
}
