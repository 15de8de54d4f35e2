/* An int has 32 bits and wraps; so does an unsigned one. */
#pragma D option quiet

BEGIN
{
	x = 2147483647;
	u = 4294967295U;
	printf("%d %d %d\n", x + 1, x * 2, -x - 2);
	printf("%u %u %u\n", u + 1, u * u, u + u);
	x++;
	printf("%d\n", x);
	exit(0);
}
