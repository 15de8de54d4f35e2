/* Sizes of types and of expressions, which are not evaluated. */
#pragma D option quiet

struct s {
	char a;
	int b;
};

BEGIN
{
	x = 1;
	printf("%d %d %d %d\n", sizeof (char), sizeof (long), sizeof (int *), sizeof (struct s));
	printf("%d %d\n", sizeof (x++), x);
	printf("%d %d\n", sizeof (int [5]), sizeof (struct s [3]));
	exit(0);
}
