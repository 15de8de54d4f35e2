/* needs: kernel */
/* A record that comes a fifth of a second after the start is not read before the tick, which wakes the consumer. */
#pragma D option quiet
#pragma D option destructive
#pragma D option switchrate=1h

profile-97
/cpu == 0 && n++ == 20/
{
	system("true");
}

proc:::exec-success
/ppid == $pid/
{
	seen = 1;
}

tick-1s
{
	printf("%d\n", seen);
	exit(0);
}
