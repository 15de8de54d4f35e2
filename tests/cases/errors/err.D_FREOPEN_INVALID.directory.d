/* line: 6 */
#pragma D option destructive

BEGIN
{
	freopen(".");
}
