/* Ten steps in each order of magnitude, here with the factor 10. */
#pragma D option quiet

BEGIN
{
	@ = llquantize(15, 10, 0, 3, 10);
	@ = llquantize(27, 10, 0, 3, 10);
	@ = llquantize(39, 10, 0, 3, 10);
	@ = llquantize(30, 10, 0, 3, 10);
	exit(0);
}
