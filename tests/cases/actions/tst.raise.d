/* A signal to the running process, which here is the tracer, and does not mind this one. */
#pragma D option quiet
#pragma D option destructive

BEGIN
{
	raise(SIGURG);
	printf("sent\n");
	exit(0);
}
