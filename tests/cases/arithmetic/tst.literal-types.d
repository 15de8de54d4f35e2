/* A decimal literal is an int or a long, a hexadecimal one may be unsigned, a character is an int. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d %d\n", sizeof (1), sizeof (1L), sizeof (2147483648), sizeof (1U));
	printf("%d %d %d\n", sizeof (0x80000000), sizeof (0x100000000), sizeof ('a'));
	printf("%d %d\n", 0xffffffff > 0, -1 < 0xffffffff);
	printf("%d %d\n", -1 < 4294967295, -1 < 1U);
	exit(0);
}
