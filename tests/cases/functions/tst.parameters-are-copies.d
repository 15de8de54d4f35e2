/* A function changes its own copy of an argument. */
#pragma D option quiet

function int
spoil(int x, string s)
{
	x = 99;
	s = "spoilt";
	return x;
}

BEGIN
{
	x = 1;
	s = "fresh";
	y = spoil(x, s);
	printf("%d %s %d\n", x, s, y);
	exit(0);
}
