#!/usr/bin/env -S invivo run
/*
 * How long the phases of nginx's requests take, in nanoseconds, by phase and handler; and requests by worker.
 *
 * Usage: invivo run examples/nginx-phases.d --types TYPES
 *
 *   worker 10244  5 requests
 *   ngx_http_core_content_phase                         nginx`0xb2db0 [no function there]
 *            value  ------------- Distribution ------------- count
 *             8192 |                                         0
 *            16384 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 1
 *            32768 |                                         0
 */
#pragma D option quiet

uprobe:nginx:ngx_http_process_request:entry
{
	@requests[pid] = count();
}

uprobe:nginx:ngx_http_core_*_phase:entry
{
	self->start[probefunc] = timestamp;
	self->handler = (uintptr_t)((ngx_http_phase_handler_t *)arg1)->handler;
}

uprobe:nginx:ngx_http_core_*_phase:return
/self->start[probefunc]/
{
	@phases[probefunc, usym(self->handler)] = quantize(timestamp - self->start[probefunc]);
	self->start[probefunc] = 0;
}

END
{
	printa("worker %d  %@d requests\n", @requests);
}
