#!/usr/bin/env -S invivo run
/*
 * Page faults by process, in user code and in the kernel on its behalf.
 *
 * Usage: invivo run examples/page-faults.d        (Ctrl-C ends it)
 *
 * SAMPLE
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
