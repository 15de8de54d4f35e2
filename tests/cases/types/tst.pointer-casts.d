/* An address is a number of 64 bits. */
#pragma D option quiet

BEGIN
{
	p = (char *)-1;
	printf("%d %x\n", (uintptr_t)p > 0, (uint32_t)(uintptr_t)p);
	printf("%d\n", (int *)0x1004 - (int *)0x1000);
	exit(0);
}
