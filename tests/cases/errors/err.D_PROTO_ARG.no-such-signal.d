/* line: 6 */
#pragma D option destructive

BEGIN
{
	raise(65);
}
