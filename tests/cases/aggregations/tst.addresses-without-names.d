/* Addresses that have no names are shown as numbers; as keys they are one key each. */
#pragma D option quiet

BEGIN
{
	printf("%s %s %s\n", sym(1), func(2), mod(3));
	printf("%a\n", 5);
	@k[sym(1)] = count();
	@k[sym(1)] = count();
	printa("%s %@d\n", @k);
	@u[usym(7), ufunc(7), umod(7), uaddr(7)] = count();
	trunc(@u);
	printf("1\n");
	exit(0);
}
