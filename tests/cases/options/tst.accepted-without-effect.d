#pragma D option quiet
#pragma D option cleanrate=10hz
#pragma D option temporal
#pragma D option jstackframes=50
#pragma D option lockmem=unlimited
#pragma D option evaltime=main
#pragma D option knodefs

BEGIN
{
	printf("all the same\n");
	exit(0);
}
