/* A function with parameters and a result. */
#pragma D option quiet

function int
add(int a, int b)
{
	return a + b;
}

BEGIN
{
	x = 3;
	printf("%d %d\n", add(1, 2), add(x, add(x, 4)));
	exit(0);
}
