/* Pointers count in what they point to. */
#pragma D option quiet

BEGIN
{
	p = (int *)0x1000;
	q = p + 3;
	printf("%p %d %d\n", q, q - p, q > p);
	q--;
	printf("%p %p %p\n", q, &p[1], (char *)q + 1);
	printf("%d %d\n", p == (int *)0x1000, q != p);
	exit(0);
}
