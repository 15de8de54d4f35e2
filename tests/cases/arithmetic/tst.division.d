/* Division rounds towards zero, and the remainder has the sign of the dividend. */
#pragma D option quiet

BEGIN
{
	x = 7;
	y = -2;
	printf("%d %d %d\n", x / y, x % y, -x % y);
	printf("%d %d\n", -7 / 2, -7 % 2);
	exit(0);
}
