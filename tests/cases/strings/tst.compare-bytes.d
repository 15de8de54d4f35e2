/* Bytes above 127 come after ASCII. */
#pragma D option quiet

BEGIN
{
	s = "\xff";
	t = "z";
	printf("%d %d\n", s > t, t < s);
	exit(0);
}
