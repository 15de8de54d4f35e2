/* Powers of two: 0, 1, 2..3, 4..7, 8..15 of the numbers from 0 to 8. */
#pragma D option quiet

BEGIN
{
	for (int i = 0; i <= 8; i++)
		@ = quantize(i);
	exit(0);
}
