/* A negative length leaves so many bytes at the end. */
#pragma D option quiet

BEGIN
{
	s = "foobarbaz";
	printf("[%s][%s][%s]\n", substr(s, 3, -3), substr(s, 0, -1), substr(s, -5, -2));
	printf("[%s][%s]\n", substr(s, 3, -6), substr(s, 3, -7));
	exit(0);
}
