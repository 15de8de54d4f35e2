#!/usr/bin/env -S invivo run
/*
 * PostgreSQL's queries by text: how often, and their latency in microseconds; and waits for locks.
 *
 * Usage: invivo run examples/postgres-queries.d PATH-OF-POSTGRES
 *
 *   SELECT pg_sleep(0.02)
 *            value  ------------- Distribution ------------- count
 *             8192 |                                         0
 *            16384 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 3
 *            32768 |                                         0
 */
#pragma D option quiet

usdt:$1:postgresql:query-start
{
	self->text = copyinstr(arg0);
	self->start = timestamp;
}

usdt:$1:postgresql:query-done
/self->start/
{
	@latency[self->text] = quantize((timestamp - self->start) / 1000);
	self->start = 0;
	self->text = "";
}

usdt:$1:postgresql:lock-wait-start
{
	self->wait = timestamp;
}

usdt:$1:postgresql:lock-wait-done
/self->wait/
{
	@waits["waited for a lock, ms"] = quantize((timestamp - self->wait) / 1000000);
	self->wait = 0;
}
