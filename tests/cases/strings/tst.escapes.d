/* Escape sequences in literals. */
#pragma D option quiet

BEGIN
{
	printf("a\tb\\c\"d\x41\101\n");
	s = "x\ty";
	printf("%s %d\n", s, strlen(s));
	exit(0);
}
