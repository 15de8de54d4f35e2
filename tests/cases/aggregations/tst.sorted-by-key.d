/* With aggsortkey rows come in the order of their keys; numbers as numbers without a sign. */
#pragma D option quiet

#pragma D option aggsortkey

BEGIN
{
	@[10] = sum(1);
	@[9] = sum(3);
	@[-1] = sum(2);
	printa("%d ", @);
	printf("\n");
	exit(0);
}
