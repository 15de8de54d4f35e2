/* command: dtrace -q -xstackframes=1 -xstackindent=2 -s cmd.stackindent.d */
/* mask: \S+`\S+ */

BEGIN
{
	stack();
	exit(0);
}
