/* A macro in a probe's name. */
/* arguments: BEGIN 2ms */
#pragma D option quiet

$1
{
	printf("begins\n");
}

tick-$2
{
	printf("ticks\n");
	exit(0);
}
