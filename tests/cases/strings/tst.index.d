/* The first position at or after a start, or -1. */
#pragma D option quiet

BEGIN
{
	s = "abcabc";
	printf("%d %d %d\n", index(s, "a"), index(s, "c"), index(s, "bc"));
	printf("%d %d %d\n", index(s, "a", 1), index(s, "b", 4), index(s, "b", 5));
	printf("%d %d %d\n", index(s, "x"), index(s, "abcabcd"), index(s, "a", -5));
	exit(0);
}
