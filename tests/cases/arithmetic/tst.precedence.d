/* Operators bind as in C. */
#pragma D option quiet

BEGIN
{
	x = 2;
	printf("%d %d %d %d\n", x + 3 * 4, (x + 3) * 4, 20 - x - 3, 100 / x / 5);
	printf("%d %d\n", x << 1 + 1, (x << 1) + 1);
	printf("%d %d %d\n", x & 3 == 2, 1 | x ^ 3 & 1, 7 & ~x);
	printf("%d %d\n", -x * -3, !x + 1);
	printf("%d %d\n", 1 + x > 2 && 3 - 3 == 0, x == 2 ? 10 : 20 + 5);
	exit(0);
}
