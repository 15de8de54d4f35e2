/* The most negative integer divided by -1 is itself, without a fault, and leaves no remainder. */
#pragma D option quiet

BEGIN
{
	i = -2147483647 - 1;
	l = -9223372036854775807 - 1;
	m = -1;
	printf("%d %d\n", i / m, i % m);
	printf("%d %d\n", l / m, l % m);
	printf("%d %d\n", -i, -l);
	exit(0);
}
