/* Hexadecimal, octal and character literals. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d %d\n", 0x1F, 0Xff, 017, 0);
	printf("%d %d %d %d %d %d\n", 'A', '\n', '\x41', '\101', '\0', '\'');
	printf("%u\n", 0xffffffffffffffff);
	exit(0);
}
