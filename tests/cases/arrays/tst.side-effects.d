/* A key with an effect of its own is evaluated once. */
#pragma D option quiet

BEGIN
{
	i = 0;
	a[i++] += 5;
	a[i++] = 6;
	printf("%d %d %d\n", i, a[0], a[1]);
	exit(0);
}
