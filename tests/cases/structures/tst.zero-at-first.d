/* Members that nobody wrote are 0, strings empty; so are those of entries that are not there. */
#pragma D option quiet

struct pair { int a; string s; int v[3]; };
struct pair g;
self struct pair t;
this struct pair c;
struct pair m[int];

BEGIN
{
	printf("[%d%s%d][%d%s%d]", g.a, g.s, g.v[2], self->t.a, self->t.s, self->t.v[2]);
	printf("[%d%s%d][%d%s%d]\n", this->c.a, this->c.s, this->c.v[2], m[1].a, m[1].s, m[1].v[2]);
	exit(0);
}
