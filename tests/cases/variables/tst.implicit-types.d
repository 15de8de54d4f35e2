/* The first assignment gives a variable its type. */
#pragma D option quiet

BEGIN
{
	i = 1;
	l = 1L;
	c = (char)1;
	u = (unsigned short)1;
	s = "text";
	printf("%d %d %d %d\n", sizeof (i), sizeof (l), sizeof (c), sizeof (u));
	i = 4294967298;
	printf("%d %s\n", i, s);
	exit(0);
}
