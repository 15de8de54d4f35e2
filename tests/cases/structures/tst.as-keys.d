/* A structure as a key of an aggregation. */
#pragma D option quiet

struct s { int a; };
struct s g;

BEGIN
{
	g.a = 1;
	@[g] = count();
	@[g] = count();
	g.a = 2;
	@[g] = count();
	printa("%@d ", @);
	exit(0);
}
