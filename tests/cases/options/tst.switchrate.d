/* needs: kernel */
/* A command that the program runs is seen to run, for its record is read soon. */
#pragma D option quiet
#pragma D option destructive
#pragma D option switchrate=10ms

BEGIN
{
	system("true");
}

proc:::exec-success
/ppid == $pid/
{
	seen = 1;
}

tick-2s
{
	printf("%d\n", seen);
	exit(0);
}
