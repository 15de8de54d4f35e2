/* The size of an argument is that of its type, whatever the format says. */
#pragma D option quiet

BEGIN
{
	x = 4294967295;
	printf("%d %hd %ld %lld %hhx\n", x, x, x, x, x);
	exit(0);
}
