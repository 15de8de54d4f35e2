/* command: dtrace -q -xstackframes=2 -s cmd.stackframes.d */
/* mask: \S+`\S+ */

BEGIN
{
	stack();
	exit(0);
}
