/* A variable declared in a block hides the global of its name, in the block only. */
#pragma D option quiet

BEGIN
{
	x = 1;
	if (1) {
		int x = 2;
		x++;
		printf("%d\n", x);
	}
	printf("%d\n", x);
	exit(0);
}
