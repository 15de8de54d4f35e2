/* Where an int meets an unsigned int, both are unsigned; where it meets a long, both are long. */
#pragma D option quiet

BEGIN
{
	i = -1;
	u = 1U;
	l = 1L;
	printf("%d %d %d\n", i < u, i < l, u < l);
	printf("%u %u\n", i / 2U, i + 0U);
	printf("%d %d\n", u - 2U > 0, u - 2L > 0);
	printf("%d\n", i + l);
	printf("%d %d\n", sizeof (i + l), sizeof (u + i));
	exit(0);
}
