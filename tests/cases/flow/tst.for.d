/* A for loop with all its parts, and without any. */
#pragma D option quiet

BEGIN
{
	total = 0;
	for (int i = 1; i <= 10; i++)
		total += i;
	printf("%d\n", total);
	k = 0;
	for (;;) {
		if (++k == 7)
			break;
	}
	printf("%d\n", k);
	exit(0);
}
