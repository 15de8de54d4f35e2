/* A comma evaluates both sides, and is the right one. */
#pragma D option quiet

BEGIN
{
	x = (1, 2, 3);
	y = (x += 5, x * 2);
	printf("%d %d\n", x, y);
	exit(0);
}
