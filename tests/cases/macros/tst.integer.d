/* $1 is an argument as a number. */
/* arguments: 42 0x10 */
#pragma D option quiet

BEGIN
{
	printf("%d %d\n", $1 + 1, $2);
	exit(0);
}
