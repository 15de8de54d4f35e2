/* Counting bits. */
#pragma D option quiet

BEGIN
{
	u = 0xdeadbeefUL;
	n = 0;
	while (u) {
		n += u & 1;
		u >>= 1;
	}
	printf("%d\n", n);
	exit(0);
}
