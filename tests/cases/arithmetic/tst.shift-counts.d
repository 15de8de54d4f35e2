/* A shift's count is taken modulo the width of what is shifted, whatever the count's own type. */
#pragma D option quiet

BEGIN
{
	x = 1;
	n = 32;
	printf("%d %d %d\n", x << 31, x << n, x << n + 1);
	l = 1L;
	printf("%d %d %d\n", l << n, l << 63, l << n + 32);
	printf("%d %d\n", x << 40L, x << -31);
	exit(0);
}
