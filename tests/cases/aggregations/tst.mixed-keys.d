/* Keys of several types. */
#pragma D option quiet

BEGIN
{
	for (int i = 0; i < 6; i++)
		@[i % 2 ? "odd" : "even", i / 3] = sum(i);
	printa("%s %d %@d\n", @);
	exit(0);
}
