/* What the compiler computes is what would have been computed at run time. */
#pragma D option quiet

BEGIN
{
	a = 7;
	b = -6;
	c = 3;
	printf("%d %d\n", 7 * -6 - 2 / 3, a * b - 2 / c);
	printf("%d %d\n", -6 % 7 + (-6 >> 1), b % a + (b >> 1));
	printf("%d %d\n", 7 & -6 | 3 << 2, a & b | c << 2);
	printf("%d %d\n", (7 > -6) + (7U > -6), (a > b) + (7U > b));
	exit(0);
}
