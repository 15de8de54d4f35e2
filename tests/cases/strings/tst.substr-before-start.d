/* A start before the string: what the length reaches of it remains. */
#pragma D option quiet

BEGIN
{
	s = "foobarbaz";
	printf("[%s][%s][%s]\n", substr(s, -11, 4), substr(s, -11, 2), substr(s, -11, 1));
	exit(0);
}
