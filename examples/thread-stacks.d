#!/usr/bin/env -S invivo run
/*
 * The stacks of all threads of a process, the same ones together: what is it doing, or waiting for? Each thread stands
 * still for as long as its stack is read.
 *
 * Usage: invivo run examples/thread-stacks.d -p PID
 *
 *   worker
 *                 libc.so.6`__futex_abstimed_wait_common+0xc9
 *                 libc.so.6`pthread_cond_wait+0x1f0
 *                 server`next_job+0x5a
 *                   15
 */
#pragma D option quiet

dump:::thread
{
	@[execname, ustack()] = count();
}
