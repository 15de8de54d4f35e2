/* Numbers as decimal strings. */
#pragma D option quiet

BEGIN
{
	x = -5;
	printf("%s %s %s\n", lltostr(0), lltostr(x), lltostr(9223372036854775807));
	printf("%s %d\n", strjoin("n", lltostr(x * x)), strlen(lltostr(-9223372036854775807 - 1)));
	exit(0);
}
