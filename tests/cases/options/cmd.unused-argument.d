/* command: dtrace -xerrtags -s cmd.unused-argument.d word */
/* exits: 1 */

BEGIN
{
	exit(0);
}
