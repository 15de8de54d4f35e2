/* A slash in parentheses divides. */
#pragma D option quiet

BEGIN
/(10 / 3) == 3/
{
	printf("three\n");
	exit(0);
}
