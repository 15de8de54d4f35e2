/* command: dtrace -q -xdroptags -s cmd.droptags.d */
/* One speculation is allowed at a time, so that the second cannot be had; nor the third. */

BEGIN
{
	x = speculation();
	y = speculation();
	z = speculation();
	printf("%d %d %d\n", x, y, z);
	exit(0);
}
