/* command: dtrace -xdisasm=2 -e -s cmd.disasm.d */
/* mask: (?s)\d+ instructions, at Once BEGIN:.* */

BEGIN
{
	exit(0);
}
