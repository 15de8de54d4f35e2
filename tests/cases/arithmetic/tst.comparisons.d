/* A comparison is 0 or 1, and groups from the left. */
#pragma D option quiet

BEGIN
{
	x = 3;
	y = 5;
	printf("%d%d%d%d%d%d\n", x < y, x <= y, x > y, x >= y, x == y, x != y);
	printf("%d%d%d%d%d%d\n", x < x, x <= x, x > x, x >= x, x == x, x != x);
	printf("%d %d %d\n", y > x > 1, y == y == 1, x < y == 1);
	printf("%d %d\n", -x < x, (unsigned long)-x < (unsigned long)x);
	exit(0);
}
