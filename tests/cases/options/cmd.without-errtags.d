/* command: dtrace -s cmd.without-errtags.d */
/* exits: 1 */

BEGIN
{
	x = ;
}
