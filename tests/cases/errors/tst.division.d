/* A division by zero ends the clause, is told, and the next clause runs. */
#pragma D option quiet

BEGIN
{
	x = 0;
	y = 10 / x;
	printf("never\n");
}

BEGIN
{
	printf("next\n");
	exit(0);
}
