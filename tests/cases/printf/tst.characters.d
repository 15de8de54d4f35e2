/* A character, and one with what does not print made visible. */
#pragma D option quiet

BEGIN
{
	printf("%c%c%c %C%C\n", 'a', 98, 0x163, 'x', '\n');
	exit(0);
}
