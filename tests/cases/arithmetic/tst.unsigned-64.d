/* Division and comparison of unsigned 64-bit values use all 64 bits. */
#pragma D option quiet

BEGIN
{
	u = 18446744073709551615UL;
	printf("%u %u %u\n", u / 10, u % 10, u >> 1);
	printf("%d %d\n", u > 0, u > 9223372036854775807);
	printf("%u\n", u / (u - 1));
	exit(0);
}
