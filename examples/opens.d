#!/usr/bin/env -S invivo run
/*
 * Files as they are opened: process, result (a descriptor, or minus the error number) and path.
 *
 * Usage: invivo run examples/opens.d        (Ctrl-C ends it)
 *
 * sh                25299    3 /etc/ld.so.cache
 * sh                25299    3 /lib/x86_64-linux-gnu/libc.so.6
 * sh                25299    3 /dev/null
 * date              25300    3 /etc/ld.so.cache
 * date              25300    3 /lib/x86_64-linux-gnu/libc.so.6
 * date              25300   -2 /usr/lib/locale/locale-archive
 * date              25300    3 /usr/share/locale/locale.alias
 * date              25300   -2 /usr/lib/locale/C.UTF-8/LC_IDENTIFICATION
 * ...
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
