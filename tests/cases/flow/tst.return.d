/* return ends the clause, and no other. */
#pragma D option quiet

BEGIN
{
	for (int i = 0; ; i++) {
		if (i == 3) {
			printf("leaves at %d\n", i);
			return;
		}
	}
	printf("never\n");
}

BEGIN
{
	printf("next\n");
	exit(0);
}
