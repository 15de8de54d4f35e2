/* A part of a string, counted from the start, or from the end if negative. */
#pragma D option quiet

BEGIN
{
	s = "foobarbaz";
	printf("%s %s %s\n", substr(s, 3), substr(s, 3, 3), substr(s, 0, 1));
	printf("%s %s %s\n", substr(s, -3), substr(s, -6, 3), substr(s, -1));
	printf("[%s][%s][%s]\n", substr(s, 9), substr(s, 100, 2), substr(s, 3, 0));
	printf("%s\n", substr(s, 0, 100));
	exit(0);
}
