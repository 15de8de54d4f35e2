/* Tens in steps of 5 below 10 to the 1: 0 to 10 by 2, 10 to 100 by 20. */
#pragma D option quiet

BEGIN
{
	@ = llquantize(-15, 10, 0, 1, 5);
	@ = llquantize(0, 10, 0, 1, 5);
	@ = llquantize(100, 10, 0, 1, 5, 2);
	exit(0);
}
