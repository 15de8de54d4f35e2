#!/usr/sbin/dtrace -s
/*
 * oncpu.d - time that a process runs each time that it gets a CPU, in us.
 */

#pragma D option quiet

sched:::on-cpu
/pid == $target/
{
	self->ts = timestamp;
}

sched:::off-cpu
/self->ts/
{
	this->us = (timestamp - self->ts) / 1000;
	@total = sum(this->us);
	@["us on CPU"] = lquantize(this->us, 0, 100000, 10000);
	self->ts = 0;
}

dtrace:::END
{
	printa("total %@d us\n", @total);
	printa(@);
}
