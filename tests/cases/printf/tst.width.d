/* Widths and flags. */
#pragma D option quiet

BEGIN
{
	x = 42;
	printf("[%5d][%-5d][%05d][%+d][% d][%+d]\n", x, x, x, x, x, -x);
	printf("[%1d][%6x][%-6x][%06x]\n", 12345, x, x, x);
	exit(0);
}
