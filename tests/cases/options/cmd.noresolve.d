/* command: dtrace -q -xnoresolve -xstackframes=2 -s cmd.noresolve.d */
/* mask: 0x[0-9a-f]{8,}$ */

BEGIN
{
	stack();
	exit(0);
}
