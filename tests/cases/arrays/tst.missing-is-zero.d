/* An element that was never assigned is 0. */
#pragma D option quiet

BEGIN
{
	a[1] = 5;
	printf("%d %d\n", a[1], a[2]);
	exit(0);
}
