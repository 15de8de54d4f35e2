/* A value's conversion has width and flags like any other. */
#pragma D option quiet

BEGIN
{
	@["x"] = sum(255);
	printa("[%6s][%-6@d][%6@d][%@x][%@o]\n", @);
	exit(0);
}
