/* A long has 64 bits and wraps. */
#pragma D option quiet

BEGIN
{
	x = 9223372036854775807;
	u = 18446744073709551615UL;
	printf("%d %d\n", x + 1, x * 2);
	printf("%u %u\n", u + 2, u * u);
	z = 0UL;
	printf("%u\n", z - 1);
	exit(0);
}
