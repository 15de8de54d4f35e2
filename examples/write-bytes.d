#!/usr/bin/env -S invivo run
/*
 * Bytes written by process and file descriptor.
 *
 * Usage: invivo run examples/write-bytes.d        (Ctrl-C ends it)
 *
 * PROCESS            FD        BYTES
 * wc                  1            5
 * ls                  1        10925
 * sort                1        10925
 */
#pragma D option quiet

syscall::write:entry
{
    self->fd = arg0 + 1;
}

syscall::write:return
/self->fd && errno == 0/
{
    @[execname, self->fd - 1] = sum(arg0);
}

syscall::write:return
{
    self->fd = 0;
}

END
{
    printf("%-16s %4s %12s\n", "PROCESS", "FD", "BYTES");
    printa("%-16s %4d %@12d\n", @);
}
