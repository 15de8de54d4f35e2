/* The last position at or before a start, or -1. */
#pragma D option quiet

BEGIN
{
	s = "abcabc";
	printf("%d %d %d\n", rindex(s, "a"), rindex(s, "c"), rindex(s, "bc"));
	printf("%d %d %d\n", rindex(s, "a", 2), rindex(s, "b", 4), rindex(s, "c", 1));
	printf("%d\n", rindex(s, "x"));
	exit(0);
}
