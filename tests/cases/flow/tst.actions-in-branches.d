/* What a branch prints comes where it stands. */
#pragma D option quiet

BEGIN
{
	printf("a");
	x = 1;
	if (x) {
		printf("b");
		x = 0;
	}
	printf("c%d", x);
	if (x)
		printf("never");
	else
		printf("d");
	printf("e\n");
	exit(0);
}
