/* A predicate may compare strings. */
#pragma D option quiet

BEGIN
/probename == "BEGIN" && probeprov == "dtrace"/
{
	printf("begins\n");
	exit(0);
}

END
/probename != "END"/
{
	printf("never\n");
}
