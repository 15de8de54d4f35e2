/* Members and elements have addresses; a pointer to one reads and writes it. */
#pragma D option quiet

struct s { int a; int v[4]; };
struct s g;
this struct s c;

BEGIN
{
	g.v[1] = 11;
	this->p = &g.v[1];
	*this->p += 1;
	this->p[1] = 5;
	*(this->p + 2) = 6;
	this->q = &this->c.a;
	*this->q = 9;
	printf("%d %d %d %d %d\n", g.v[0], g.v[1], g.v[2], g.v[3], this->c.a);
	printf("%d\n", &g.v[3] - &g.v[0]);
	exit(0);
}
