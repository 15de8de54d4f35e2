/* A structure is copied by =, whatever holds it; the copy is its own. */
#pragma D option quiet

struct s { int a; int b[2]; string t; };
struct s g, h;
this struct s c;
self struct s t;
struct s m[int];

BEGIN
{
	g.a = 1; g.b[1] = 2; g.t = "three";
	this->c = g;
	g.a = 10;
	self->t = this->c;
	this->c.b[1] = 20;
	m[7] = self->t;
	self->t.t = "changed";
	h = m[8] = m[7];
	m[7].a = 100;
	printf("%d %d %s\n", this->c.a, this->c.b[1], this->c.t);
	printf("%d %d %s\n", self->t.a, self->t.b[1], self->t.t);
	printf("%d %d %s\n", m[7].a, m[7].b[1], m[7].t);
	printf("%d %d %s\n", m[8].a, m[8].b[1], m[8].t);
	printf("%d %d %s\n", h.a, h.b[1], h.t);
	exit(0);
}
