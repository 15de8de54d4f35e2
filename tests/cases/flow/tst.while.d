/* A while loop, and one whose body never runs. */
#pragma D option quiet

BEGIN
{
	n = 1;
	i = 0;
	while (n < 1000) {
		n *= 2;
		i++;
	}
	printf("%d %d\n", n, i);
	while (n < 1000)
		n = 0;
	printf("%d\n", n);
	exit(0);
}
