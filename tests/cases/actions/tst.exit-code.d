/* The value of exit() is the exit status. */
/* exits: 23 */
#pragma D option quiet

BEGIN
{
	exit(20 + 3);
}
