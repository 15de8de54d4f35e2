/* And, or, exclusive or, complement. */
#pragma D option quiet

BEGIN
{
	a = 0xf0f0;
	b = 0x0ff0;
	printf("%x %x %x %x\n", a & b, a | b, a ^ b, ~a);
	printf("%d %d %d\n", -1 & 0xff, -256 | 1, -1 ^ -1);
	exit(0);
}
