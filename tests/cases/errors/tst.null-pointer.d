/* Address 0 cannot be read. */
#pragma D option quiet

BEGIN
{
	p = (int *)0;
	x = *p;
	printf("never\n");
}

BEGIN
{
	printf("next\n");
	exit(0);
}
