/* break leaves the innermost loop; continue goes to its step. */
#pragma D option quiet

BEGIN
{
	for (int i = 0; i < 10; i++) {
		if (i % 2)
			continue;
		if (i > 6)
			break;
		printf("%d ", i);
	}
	printf("\n");
	i = 0;
	while (i < 5) {
		i++;
		if (i == 3)
			continue;
		printf("%d ", i);
	}
	printf("\n");
	exit(0);
}
