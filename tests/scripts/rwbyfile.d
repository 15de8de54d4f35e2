#!/usr/sbin/dtrace -s
/*
 * rwbyfile.d - bytes read and written by file name.
 */

#pragma D option quiet

syscall::read:entry,
syscall::write:entry
/pid == $target/
{
	self->fd = arg0;
	self->in = 1;
}

syscall::read:return
/self->in && arg0 > 0/
{
	@bytes["R", fds[self->fd].fi_pathname] = sum(arg0);
}

syscall::write:return
/self->in && arg0 > 0/
{
	@bytes["W", fds[self->fd].fi_pathname] = sum(arg0);
}

syscall::read:return,
syscall::write:return
/self->in/
{
	self->in = 0;
	self->fd = 0;
}

END
{
	printf("%-4s %s %12s\n", "DIR", "PATHNAME", "BYTES");
	printa("%-4s %s %@12d\n", @bytes);
}
