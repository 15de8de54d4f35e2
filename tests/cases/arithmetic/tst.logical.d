/* && and || leave the right side alone where the left one decides; ^^ needs both. */
#pragma D option quiet

BEGIN
{
	x = 0;
	y = 0 && (x = 1);
	printf("%d %d\n", x, y);
	y = 1 || (x = 1);
	printf("%d %d\n", x, y);
	y = 1 && (x = 7);
	printf("%d %d\n", x, y);
	y = 1 ^^ (x = 0);
	printf("%d %d\n", x, y);
	y = 2 ^^ (x = 3);
	printf("%d %d\n", x, y);
	printf("%d %d %d\n", 5 && 3, 0 || 8, 1 || 0 && 0);
	exit(0);
}
