/* exit() stops other clauses, not its own. */
#pragma D option quiet

BEGIN
{
	exit(0);
	printf("after\n");
}

BEGIN
{
	printf("never\n");
}

tick-1ms
{
	printf("never\n");
}
