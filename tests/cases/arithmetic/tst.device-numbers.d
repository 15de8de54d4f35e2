/* A device's number is 12 bits of major and 20 of minor. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d\n", getmajor(0x800001), getminor(0x800001), getminor(0xfffffffff));
	exit(0);
}
