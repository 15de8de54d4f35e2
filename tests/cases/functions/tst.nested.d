/* Functions call functions that stand before or after them. */
#pragma D option quiet

function int
square(int x)
{
	return x * x;
}

function int
hypotenuse_squared(int a, int b)
{
	return square(a) + square(b);
}

BEGIN
{
	printf("%d\n", hypotenuse_squared(3, 4));
	exit(0);
}
