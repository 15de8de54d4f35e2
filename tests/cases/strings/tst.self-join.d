/* A variable may be joined with itself and assigned the result. */
#pragma D option quiet

BEGIN
{
	s = "ab";
	s = strjoin(s, strjoin(s, s));
	printf("%s\n", s);
	s = substr(s, 1);
	printf("%s\n", s);
	exit(0);
}
