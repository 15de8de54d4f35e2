/* An inline stands for its expression, which is evaluated where it is used. */
#pragma D option quiet

inline int answer = 6 * 7;
inline int next = n + 1;
int n;

BEGIN
{
	printf("%d %d\n", answer, next);
	n = 9;
	printf("%d\n", next * 2);
	exit(0);
}
