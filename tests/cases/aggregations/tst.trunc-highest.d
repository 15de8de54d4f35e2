/* trunc() with a number keeps so many keys, those with the highest values. */
#pragma D option quiet

BEGIN
{
	for (int i = 1; i < 6; i++)
		@[i] = sum(i * i);
	trunc(@, 2);
	printa("%d:%@d ", @);
	printf("\n");
	exit(0);
}
