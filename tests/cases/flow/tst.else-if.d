/* A chain of conditions: the first that holds. */
#pragma D option quiet

BEGIN
{
	for (int i = 0; i < 4; i++) {
		if (i == 0)
			printf("none");
		else if (i == 1)
			printf(" one");
		else if (i == 2) {
			printf(" two");
		} else
			printf(" many");
	}
	printf("\n");
	exit(0);
}
