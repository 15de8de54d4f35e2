#!/usr/sbin/dtrace -s
/*
 * lifetimes.d - how long the children of a command lived.
 */

#pragma D option quiet

typedef uint64_t life_t;

life_t born[pid_t];
pid_t parent[pid_t];

proc:::create
/pid == $target/
{
	parent[args[0]->pr_pid] = pid;
	born[args[0]->pr_pid] = timestamp;
}

proc:::exit
/born[pid]/
{
	@n[parent[pid] == $target ? "child" : "stranger"] = count();
	@ns = avg(timestamp - born[pid]);
	born[pid] = 0;
	parent[pid] = 0;
}

END
{
	printa("%s %@d\n", @n);
}
