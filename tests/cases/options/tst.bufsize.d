/* needs: kernel */
/* A record takes 24 bytes: there is room for two: the last line, and what exit() says. */
#pragma D option quiet
#pragma D option bufpolicy=ring
#pragma D option bufsize=64

tick-20ms
{
	n++;
	printf("%d\n", n);
}

tick-20ms
/n == 10/
{
	exit(0);
}
