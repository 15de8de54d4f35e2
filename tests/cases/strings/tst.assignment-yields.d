/* What an assignment yields is cut like what it stores. */
#pragma D option quiet

#pragma D option strsize=4

BEGIN
{
	printf("%s %d\n", s = "abcdef", strlen(s = "uvwxyz"));
	printf("%s\n", s);
	exit(0);
}
