#!/usr/sbin/dtrace -s
/*
 * calltime.d - count, average, least and most time of each system call, in ns.
 */

#pragma D option quiet

syscall:::entry
/pid == $target/
{
	self->start[probefunc] = timestamp;
}

syscall:::return
/self->start[probefunc]/
{
	this->elapsed = timestamp - self->start[probefunc];
	@calls[probefunc] = count();
	@average[probefunc] = avg(this->elapsed);
	@least[probefunc] = min(this->elapsed);
	@most[probefunc] = max(this->elapsed);
	self->start[probefunc] = 0;
}

END
{
	printf("%-20s %8s %12s %12s %12s\n", "SYSCALL", "COUNT", "AVG", "MIN", "MAX");
	printa("%-20s %@8d %@12d %@12d %@12d\n", @calls, @average, @least, @most);
}
