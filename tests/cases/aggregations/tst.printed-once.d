/* What printa() has shown is not printed again at the end. */
#pragma D option quiet

BEGIN
{
	@a = count();
	@b = count();
	printa("a: %@d\n", @a);
	exit(0);
}
