/* The number of bytes before the NUL. */
#pragma D option quiet

BEGIN
{
	s = "hello";
	printf("%d %d %d\n", strlen(""), strlen("hello"), strlen(s));
	printf("%d\n", strlen(strjoin(s, s)));
	exit(0);
}
