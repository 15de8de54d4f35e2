/* A predicate may call a function. */
#pragma D option quiet

function int
is_even(int n)
{
	return n % 2 == 0;
}

BEGIN
/is_even(3)/
{
	printf("never\n");
}

BEGIN
/is_even(4)/
{
	printf("four\n");
	exit(0);
}
