#!/usr/bin/env -S invivo run
/*
 * Files as they are opened: process, result (a descriptor, or minus the error number) and path.
 *
 * Usage: invivo run examples/opens.d        (Ctrl-C ends it)
 *
 * SAMPLE
 */
#pragma D option quiet

syscall::open:entry
{
    self->path = arg0;
}

syscall::openat:entry
{
    self->path = arg1;
}

syscall::open:return,
syscall::openat:return
/self->path/
{
    printf("%-16s %6d %4d %s\n", execname, pid, errno ? -errno : (int)arg0, copyinstr(self->path));
    self->path = 0;
}
