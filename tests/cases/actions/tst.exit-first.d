/* The first exit() decides. */
/* exits: 3 */
#pragma D option quiet

BEGIN
{
	exit(3);
	exit(4);
}
