/* ERROR may end the tracing. */
/* exits: 9 */
#pragma D option quiet

BEGIN
{
	x = 0;
	x = 1 / x;
}

BEGIN
{
	printf("never\n");
}

ERROR
{
	printf("error\n");
	exit(9);
}

ERROR
{
	printf("never\n");
}

END
{
	printf("end\n");
}
