/* A clause runs where its predicate is not 0. */
#pragma D option quiet

BEGIN
/0/
{
	printf("never\n");
}

BEGIN
/-1/
{
	printf("always\n");
	exit(0);
}
