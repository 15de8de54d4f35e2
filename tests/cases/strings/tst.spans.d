/* How far a string goes within a set of bytes, or without. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d %d\n", strspn("aabc", "ab"), strspn("abc", ""), strspn("", "ab"), strspn("xxx", "x"));
	printf("%d %d %d %d\n", strcspn("aabc", "bc"), strcspn("abc", ""), strcspn("", "ab"), strcspn("a\351", "\351"));
	exit(0);
}
