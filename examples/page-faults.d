#!/usr/bin/env -S invivo run
/*
 * Page faults by process, in user code and in the kernel on its behalf.
 *
 * Usage: invivo run examples/page-faults.d        (Ctrl-C ends it)
 *
 * ...
 *   readlink                                            kernel           13
 *   basename                                            user             70
 *   python                                              user            105
 *   bash                                                kernel          220
 *   python3                                             kernel          238
 *   readlink                                            user            355
 *   python3                                             user           2194
 *   bash                                                user           5512
 */
#pragma D option quiet

sdt:exceptions::page_fault_user
{
    @faults[execname, "user"] = count();
}

sdt:exceptions::page_fault_kernel
{
    @faults[execname, "kernel"] = count();
}
