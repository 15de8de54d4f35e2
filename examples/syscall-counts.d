#!/usr/bin/env -S invivo run
/*
 * System calls by process and name: what is this machine busy asking the kernel for?
 *
 * Usage: invivo run examples/syscall-counts.d        (Ctrl-C ends it)
 *
 * ...
 *   ls  read              7
 *   sh  rt_sigaction      7
 *   sh  mmap              8
 *   sh  newfstatat       13
 *   ls  newfstatat       22
 *   ls  close            23
 *   ls  mmap             30
 *   ls  openat           34
 */
#pragma D option quiet

syscall:::entry
{
    @[execname, probefunc] = count();
}
