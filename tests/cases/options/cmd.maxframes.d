/* command: dtrace -q -xmaxframes=1 -s cmd.maxframes.d */
/* mask: \S+`\S+ */

BEGIN
{
	stack(3);
	exit(0);
}
