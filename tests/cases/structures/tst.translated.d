/* What a translator makes, kept in a variable: its members are evaluated once, the others are 0. */
#pragma D option quiet

struct in { int a; int b; };
struct out { int sum; string text; char name[8]; struct { int x; } rest; };

translator struct out < struct in *p > {
	sum = p->a + p->b;
	text = "sum";
	name = "long enough";
};

struct out g;
self struct out t;

BEGIN
{
	this->p = (struct in *)alloca(sizeof(struct in));
	this->p->a = 40;
	this->p->b = 2;
	g.rest.x = 5;
	g = xlate <struct out> (this->p);
	this->p->a = 0;
	printf("%d %s %s %d\n", g.sum, g.text, g.name, g.rest.x);
	self->t = xlate <struct out> (this->p);
	printf("%d %s\n", self->t.sum, self->t.name);
	exit(0);
}
