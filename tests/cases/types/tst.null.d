/* NULL is 0, and a pointer is true where it is not NULL. */
#pragma D option quiet

BEGIN
{
	p = (char *)8;
	q = (char *)0;
	printf("%d %d %d %d\n", p != NULL, q == NULL, !p, p && !q);
	exit(0);
}
