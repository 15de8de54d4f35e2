/* A value is what it was when its printf() was reached. */
#pragma D option quiet

BEGIN
{
	x = 1;
	printf("%d ", x);
	x = 2;
	printf("%d ", x);
	x = 3;
	printf("%d\n", x);
	exit(0);
}
