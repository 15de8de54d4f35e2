/* A function's own pointer, declared first, may lead into alloca()'s memory. */
#pragma D option quiet

function int
after(int n)
{
	int *p;

	p = alloca(8);
	p[1] = n;
	return p[1] + 1;
}

BEGIN
{
	int *other;

	other = alloca(4);
	*other = 20;
	printf("%d %d %d\n", after(3), after(40), *other);
	exit(0);
}
