/* A _Bool is 0 or 1 whatever is added to it. */
#pragma D option quiet

_Bool b;
_Bool a[int];

BEGIN
{
	b += 2;
	a[1] += 2;
	a[2]++;
	a[2]++;
	printf("%d %d %d\n", b, a[1], a[2]);
	b--;
	a[1] -= 1;
	printf("%d %d\n", b, a[1]);
	exit(0);
}
