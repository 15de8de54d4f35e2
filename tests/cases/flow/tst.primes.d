/* A sieve: the primes below 30. */
#pragma D option quiet

int composite[int];

BEGIN
{
	for (int i = 2; i < 30; i++) {
		if (composite[i])
			continue;
		printf("%d ", i);
		for (int j = i * i; j < 30; j += i)
			composite[j] = 1;
	}
	printf("\n");
	exit(0);
}
