/* Faults in END are told like others. */
#pragma D option quiet

BEGIN
{
	zero = 0;
	exit(0);
}

END
{
	printf("%d\n", 5 % zero);
}

END
{
	printf("end\n");
}
