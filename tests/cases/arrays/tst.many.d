/* A hundred elements, each with its own value. */
#pragma D option quiet

BEGIN
{
	for (int i = 0; i < 100; i++)
		a[i] = i * i;
	total = 0;
	for (int i = 0; i < 100; i++)
		total += a[i];
	printf("%d %d\n", a[99], total);
	exit(0);
}
