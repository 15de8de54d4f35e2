/* line: 6 */
#pragma D option nolibs

BEGIN
{
	trace(curpsinfo->pr_pid);
}
