/* A local structure or array of a function is made new at each call; one of a block at each round of a loop. */
#pragma D option quiet

struct acc { int sum; int seen[4]; };

function int
add(int a, int b)
{
	struct acc x;
	int v[2];
	v[0] = a;
	v[1] += b;
	x.sum += v[0] + v[1];
	x.seen[a]++;
	return x.sum * 10 + x.seen[a];
}

BEGIN
{
	printf("%d %d\n", add(1, 2), add(3, 4));
	for (int i = 0; i < 3; i++) {
		int n[2];
		n[1] += i;
		printf("%d ", n[1]);
	}
	exit(0);
}
