/* line: 2 */
#pragma D option cpp

BEGIN
{
	exit(0);
}
