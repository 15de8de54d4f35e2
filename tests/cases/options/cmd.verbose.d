/* command: dtrace -xverbose -e -s cmd.verbose.d */
/* mask: (?s)\d+ instructions, at Once BEGIN:.* */

BEGIN
{
	exit(0);
}
