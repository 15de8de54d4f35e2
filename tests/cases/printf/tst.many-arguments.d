/* Many values of many types in one record. */
#pragma D option quiet

BEGIN
{
	s = "s";
	printf("%d %d %s %d %d %s %d %s\n", (char)1, 2L, s, (short)3, 4, "lit", (char)5, strjoin(s, "t"));
	exit(0);
}
