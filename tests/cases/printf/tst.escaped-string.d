/* %S shows what does not print. */
#pragma D option quiet

BEGIN
{
	s = "tab\there\n\x01";
	printf("%S\n", s);
	exit(0);
}
