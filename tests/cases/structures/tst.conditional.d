/* A structure chosen by ?:, and one behind a comma. */
#pragma D option quiet

struct s { int a; };
struct s x, y, z;

BEGIN
{
	x.a = 1;
	y.a = 2;
	z = 1 ? x : y;
	printf("%d %d\n", z.a, (0 ? x : y).a);
	z = (x.a = 5, y);
	printf("%d %d\n", z.a, x.a);
	exit(0);
}
