/* Every operator works on elements. */
#pragma D option quiet

BEGIN
{
	i = 7;
	a[i] = 12;
	a[i] += 3;
	a[i] *= 2;
	a[i] /= 4;
	a[i] <<= 2;
	a[i] |= 3;
	printf("%d\n", a[i]);
	a[i + 1]--;
	printf("%d\n", a[8]);
	exit(0);
}
