/* command: dtrace -xerrtags -s cmd.errtags.d */
/* exits: 1 */

BEGIN
{
	x = ;
}
