/* print() of structures that are variables, of their members, and of strings. */
#pragma D option quiet

struct s { int a; char c[4]; struct { int x; } in; };
struct s g;
self struct s t;

BEGIN
{
	g.a = 5;
	g.c[0] = 'h';
	g.in.x = 7;
	print(g);
	self->t.in = g.in;
	print(self->t);
	print(&g.in.x);
	print("a\tb");
	exit(0);
}
