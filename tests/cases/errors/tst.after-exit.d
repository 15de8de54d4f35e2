/* After exit() ERROR does not fire any more. */
#pragma D option quiet

BEGIN
{
	exit(0);
	x = 1 / zero;
}

ERROR
{
	printf("never\n");
}

int zero;
