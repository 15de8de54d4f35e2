/* line: 10 */
#pragma D option quiet
#pragma D option version=1.5
#pragma D binding "1.6" half

inline int half = 21;

BEGIN
{
	printf("%d\n", half * 2);
	exit(0);
}
