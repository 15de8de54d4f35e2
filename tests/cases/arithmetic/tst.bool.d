/* Conversion to _Bool asks whether the value is 0. */
#pragma D option quiet

BEGIN
{
	x = 256;
	printf("%d %d %d\n", (_Bool)x, (_Bool)0, (_Bool)-1);
	printf("%d\n", sizeof (_Bool));
	exit(0);
}
