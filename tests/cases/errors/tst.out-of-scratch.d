/* A firing's own memory has an end. */
#pragma D option quiet

BEGIN
{
	x = 100000;
	p = alloca(x);
	printf("never\n");
}

BEGIN
{
	printf("next\n");
	exit(0);
}
