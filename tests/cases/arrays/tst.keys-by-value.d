/* An integer key is its value, whatever its type. */
#pragma D option quiet

BEGIN
{
	a[1] = 11;
	a[-1] = 22;
	printf("%d %d %d\n", a[1L], a[(char)1], a[1U]);
	printf("%d %d\n", a[-1L], a[(char)255]);
	exit(0);
}
