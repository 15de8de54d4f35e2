/* Of several characters the last is the lowest byte; more than four make a long. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d %d\n", '\?', '\'', '\c', '"');
	printf("%d %d\n", '\377abc' < 0, 'ab' == ('a' << 8 | 'b'));
	printf("%x %x\n", 'abcde', 'a\bcdefgh');
	printf("%d %d %d\n", sizeof ('abcd'), sizeof ('abcde'), '\377bcdefgh' < 0);
	exit(0);
}
