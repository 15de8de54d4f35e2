inline int twice[int n] = n * 2;

BEGIN
{
	trace(twice); /* line: 5 */
	exit(0);
}
