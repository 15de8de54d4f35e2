/* NULL has no name, neither in the kernel nor in a process, and no reason why. */
#pragma D option quiet

BEGIN
{
	usym(0);
	ufunc(0);
	umod(0);
	uaddr(0);
	sym(0);
	printf("%A|%a\n", 0, 0);
	exit(0);
}
