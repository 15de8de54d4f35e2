/* Time goes on from one firing to the next. */
#pragma D option quiet

tick-5ms
/!before/
{
	before = timestamp;
}

tick-5ms
/timestamp > before/
{
	printf("%d\n", timestamp - before < 10000000000);
	exit(0);
}

uint64_t before;
