/* Strings are compared byte by byte, and a prefix comes first. */
#pragma D option quiet

BEGIN
{
	s = "abc";
	printf("%d%d%d%d%d%d\n", s == "abc", s != "abc", s < "abd", s <= "abc", s > "ab", s >= "abd");
	t = "";
	printf("%d %d %d\n", t == "", t < s, s < t);
	u = "B";
	printf("%d %d\n", u < "a", u < s);
	exit(0);
}
