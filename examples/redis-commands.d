#!/usr/bin/env -S invivo run
/*
 * Redis's commands by the function that carries them out, latency in microseconds.
 *
 * Usage: invivo run examples/redis-commands.d
 *
 *   setCommand
 *            value  ------------- Distribution ------------- count
 *                4 |                                         0
 *                8 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 101
 *               16 |                                         0
 */
uprobe:redis-server:*Command:entry
{
	self->start[probefunc] = timestamp;
}

uprobe:redis-server:*Command:return
/self->start[probefunc]/
{
	@[probefunc] = quantize((timestamp - self->start[probefunc]) / 1000);
	self->start[probefunc] = 0;
}
