/* What follows a NUL in a literal is no part of the string. */
#pragma D option quiet

BEGIN
{
	s = "ab\0cd";
	printf("%s %d %d\n", s, strlen(s), s == "ab");
	exit(0);
}
