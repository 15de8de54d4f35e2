/* Statements may be empty. */
#pragma D option quiet

BEGIN
{
	;
	if (1)
		;
	else
		printf("never\n");
	for (i = 0; i < 3; i++)
		;
	{ }
	printf("%d\n", i);
	exit(0);
}
