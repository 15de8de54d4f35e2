/* Numbers in bases: negative ones only in base 10, a prefix before base 8 and 16. */
#pragma D option quiet

BEGIN
{
	printf("%s %s %s\n", lltostr(255, 16), lltostr(8, 8), lltostr(5, 2));
	printf("%s %s %s\n", lltostr(-255, 10), lltostr(-1, 16), lltostr(35, 36));
	printf("%s %s %s\n", lltostr(0, 16), lltostr(0, 10), lltostr(-1, 2));
	printf("%s %s\n", lltostr(-9223372036854775807 - 1, 10), lltostr(1295, 36));
	exit(0);
}
