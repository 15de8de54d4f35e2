/* The way of 27 to 1 takes 111 steps and climbs to 9232. */
#pragma D option quiet

BEGIN
{
	n = 27;
	steps = 0;
	top = 0;
	while (n != 1) {
		n = n % 2 ? 3 * n + 1 : n / 2;
		steps++;
		if (n > top)
			top = n;
	}
	printf("%d %d\n", steps, top);
	exit(0);
}
