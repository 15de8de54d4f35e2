#!/usr/bin/env -S invivo run
/*
 * Latency of a function of a Go program in nanoseconds, by its first argument.
 *
 * Usage: invivo run examples/go-latency.d PROGRAM FUNCTION
 *
 * The times are of calls, whether or not the goroutine's stack grows meanwhile; a goroutine that changes its thread
 * within the call is not counted.
 *
 *                7
 *            value  ------------- Distribution ------------- count
 *              512 |                                         0
 *             1024 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 10
 *             2048 |                                         0
 */
uprobe:$1:$2:entry
{
	self->depth++;
	self->start[self->depth] = timestamp;
	self->argument[self->depth] = arg0;
}

uprobe:$1:$2:return
/self->depth > 0/
{
	@[self->argument[self->depth]] = quantize(timestamp - self->start[self->depth]);
	self->start[self->depth] = 0;
	self->argument[self->depth] = 0;
	self->depth--;
}
