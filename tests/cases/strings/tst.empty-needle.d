/* An empty string is found where the search begins. */
#pragma D option quiet

BEGIN
{
	s = "abc";
	printf("%d %d %d\n", index(s, ""), index(s, "", 2), index(s, "", 9));
	printf("%d %d\n", rindex(s, ""), rindex(s, "", 1));
	printf("%s\n", strstr(s, ""));
	exit(0);
}
