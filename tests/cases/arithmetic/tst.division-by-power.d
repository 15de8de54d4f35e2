/* A divisor that can only be one power of two, or 0. */
#pragma D option quiet

unsigned char b;

BEGIN
{
	b = 0x2f;
}

BEGIN
{
	printf("%d %d\n", 31460 / (b & 0x520), 31460 % (b & 0x520));
	printf("%d %d\n", -31460 / (b & 0x520), -31460 % (b & 0x520));
	exit(0);
}
