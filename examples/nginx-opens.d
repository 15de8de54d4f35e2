#!/usr/bin/env -S invivo run
/*
 * Files that nginx's processes open and close, by the stack that does so. Opens that fail are not counted.
 * The stacks of a process that is given, and of those that it has started, are whole from the first on.
 *
 * Usage: invivo run examples/nginx-opens.d -p "$(cat /run/nginx.pid)"
 *
 *   close
 *     libc.so.6`close+0x13
 *     nginx`ngx_pool_cleanup_file+0x1c
 *     nginx`ngx_destroy_pool+0x2f
 *     ...
 *       11
 *   open
 *     libc.so.6`open+0x5b
 *     nginx`ngx_open_cached_file+0x1b5
 *     ...
 *       11
 */
syscall::open:return, syscall::openat:return
/execname == "nginx" && errno == 0/
{
	@["open", ustack(12)] = count();
}

syscall::close:return
/execname == "nginx" && errno == 0/
{
	@["close", ustack(12)] = count();
}
