/* A string is cut to strsize, its NUL included. */
#pragma D option quiet

#pragma D option strsize=8

BEGIN
{
	s = "0123456789";
	printf("%s %d\n", s, strlen(s));
	printf("%s\n", strjoin(substr(s, 0, 5), substr(s, 0, 5)));
	exit(0);
}
