/* A precision on an integer is its least number of digits. */
#pragma D option quiet

BEGIN
{
	x = 42;
	printf("[%.4d][%6.4d][%-6.4d][%.4d]\n", x, x, x, -x);
	printf("[%.1d][%.3x]\n", x, x);
	exit(0);
}
