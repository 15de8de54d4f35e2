/* A number backwards. */
#pragma D option quiet

BEGIN
{
	n = 12345;
	r = 0;
	for (; n; n /= 10)
		r = r * 10 + n % 10;
	printf("%d\n", r);
	exit(0);
}
