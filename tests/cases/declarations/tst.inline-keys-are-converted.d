/* A key has the type that the inline declares: 300 as a uint8_t is 44. */
#pragma D option quiet

inline int low[uint8_t n, int m] = n + m;

BEGIN
{
	printf("%d\n", low[300, 1]);
	exit(0);
}
