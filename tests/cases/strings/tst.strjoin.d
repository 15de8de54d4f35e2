/* Two strings one after the other, as often as one likes. */
#pragma D option quiet

BEGIN
{
	a = "foo";
	b = "bar";
	printf("%s %s %s\n", strjoin(a, b), strjoin(b, a), strjoin(a, ""));
	printf("%s\n", strjoin(strjoin(a, "-"), strjoin(b, "!")));
	a = strjoin(a, a);
	a = strjoin(a, a);
	printf("%s %s\n", a, b);
	exit(0);
}
