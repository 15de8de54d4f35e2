/* line: 7 */
#pragma D option destructive

BEGIN
{
	speculate(speculation());
	raise(SIGURG);
}
