/* Pieces of strings of a few bytes. */
#pragma D option quiet

#pragma D option strsize=8

BEGIN
{
	p = 1;
	s = "ab";
	t = p ? s : "xyz";
	printf("%s %s %d\n", substr(t, p), substr(p ? "baZ-" : "b-Z", p), index(p ? "abc" : "z", s, p - 9));
	printf("%d %d\n", rindex(strjoin(s, s), "b", p + 1), index(strjoin(s, s), "a", p));
	exit(0);
}
