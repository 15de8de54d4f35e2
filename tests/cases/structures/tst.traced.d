/* trace() of a structure dumps its bytes. */
#pragma D option quiet

struct s { char c[4]; int i; };
struct s g;
self struct s t;

BEGIN
{
	g.c[0] = 'D';
	g.i = 0x01020304;
	self->t = g;
	self->t.c[1] = 'd';
	trace(g);
	trace(self->t);
	exit(0);
}
