/* Signed values are shifted with their sign, unsigned ones with zeros. */
#pragma D option quiet

BEGIN
{
	x = -8;
	u = 0xf0000000;
	printf("%d %d %d\n", x >> 1, x >> 31, x >> 2);
	printf("%u %u\n", u >> 28, (unsigned int)x >> 31);
	printf("%d %u\n", -1L >> 63, (unsigned long)-1 >> 63);
	exit(0);
}
