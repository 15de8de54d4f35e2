/* Where two probes fire at one moment, exit() in the first stops the second. */
#pragma D option quiet

tick-2ms
{
	printf("first\n");
	exit(0);
}

tick-2000us
{
	printf("never\n");
}
