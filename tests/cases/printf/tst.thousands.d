/* An apostrophe separates thousands. */
#pragma D option quiet

BEGIN
{
	printf("%'d %'d %'d\n", 1234567, 999, -1000);
	exit(0);
}
