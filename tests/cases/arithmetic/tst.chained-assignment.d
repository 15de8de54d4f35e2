/* Assignments group from the right and yield what was assigned. */
#pragma D option quiet

BEGIN
{
	a = b = 3;
	printf("%d %d\n", a, b);
	a += b += 2;
	printf("%d %d\n", a, b);
	c = (a -= 1) * 2;
	printf("%d %d\n", a, c);
	exit(0);
}
