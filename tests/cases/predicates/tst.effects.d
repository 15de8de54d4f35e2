/* A predicate may assign. */
#pragma D option quiet

BEGIN
/(x = 5) > 3/
{
	printf("%d\n", x);
}

BEGIN
/x++ == 9/
{
	printf("never\n");
}

BEGIN
{
	printf("%d\n", x);
	exit(0);
}
