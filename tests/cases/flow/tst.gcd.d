/* Euclid's algorithm. */
#pragma D option quiet

BEGIN
{
	a = 1071;
	b = 462;
	while (b != 0) {
		int t = a % b;
		a = b;
		b = t;
	}
	printf("%d\n", a);
	exit(0);
}
