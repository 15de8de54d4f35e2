/* An inline with a parameter, in brackets. */
#pragma D option quiet

inline int square[int x] = x * x;

BEGIN
{
	y = 3;
	printf("%d %d\n", square[5], square[y + 1]);
	exit(0);
}
