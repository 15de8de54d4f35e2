#!/usr/sbin/dtrace -s
/*
 * usage.d - count down; says how it is used if it is used otherwise.
 */

#pragma D option quiet
#pragma D option defaultargs

dtrace:::BEGIN
/$1 <= 0/
{
	printf("USAGE: %s seconds [message]\n", $$0);
	exit(1);
}

dtrace:::BEGIN
{
	secs = $1;
	say = $$2 == "" ? "ignition" : $$2;
}

profile:::tick-10ms
/secs > 0/
{
	printf("%d...\n", secs--);
}

profile:::tick-10ms
/secs == 0/
{
	printf("%s\n", say);
	exit(0);
}
