/* An array with a size. */
#pragma D option quiet

int a[5];

BEGIN
{
	for (int i = 0; i < 5; i++)
		a[i] = 10 * i;
	printf("%d %d %d\n", a[0], a[1], a[4]);
	exit(0);
}
