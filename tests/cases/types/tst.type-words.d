/* C's words for types, in any order. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d\n", sizeof (long long unsigned int), sizeof (unsigned), sizeof (short int));
	printf("%d %d\n", (signed char)200, (long unsigned)-1 > 0);
	exit(0);
}
