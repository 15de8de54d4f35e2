/* A loop in a loop; break leaves the inner one. */
#pragma D option quiet

BEGIN
{
	for (int i = 1; i <= 3; i++) {
		for (int j = 1; j <= 5; j++) {
			if (j > i)
				break;
			printf("%d ", i * j);
		}
		printf("\n");
	}
	exit(0);
}
