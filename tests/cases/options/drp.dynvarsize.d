/* needs: kernel */
/* An element takes 16 bytes: there is room for 256. */
#pragma D option quiet
#pragma D option dynvarsize=4k

BEGIN
{
	for (int i = 1; i <= 1000; i++) {
		a[i] = i;
	}
	printf("%d %d\n", a[1], a[1000]);
	exit(0);
}
