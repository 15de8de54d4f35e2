/* BEGIN fires in the tracer itself, which stop() spares, and says so. */
#pragma D option quiet
#pragma D option destructive

BEGIN
{
	stop();
	printf("still here\n");
	exit(0);
}
