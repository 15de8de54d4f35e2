/* arguments: 7 8 9 */
#pragma D option quiet
#pragma D option argref

BEGIN
{
	printf("%d\n", $2);
	exit(0);
}
