/* An operand is the value that it had when it was evaluated. */
#pragma D option quiet

BEGIN
{
	s = "a";
	printf("%s\n", strjoin(s, s = "b"));
	printf("%d\n", (s = "x") < (s = "y"));
	printf("%s\n", strjoin(s = "1", strjoin(s = "2", s = "3")));
	exit(0);
}
