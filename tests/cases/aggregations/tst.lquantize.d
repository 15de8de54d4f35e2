/* Linear buckets with a first one below the base and a last one from the limit on. */
#pragma D option quiet

BEGIN
{
	for (int i = -1; i <= 9; i++)
		@ = lquantize(i, 0, 10, 2);
	@ = lquantize(10, 0, 10, 2);
	@ = lquantize(1000, 0, 10, 2);
	exit(0);
}
