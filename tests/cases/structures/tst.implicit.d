/* A variable that gets a structure at its first assignment is one. */
#pragma D option quiet

struct s { int a; int b; };

BEGIN
{
	this->p = (struct s *)alloca(sizeof(struct s));
	this->p->a = 3;
	this->p->b = 4;
	copy = *this->p;
	this->p->a = 30;
	self->mine = copy;
	printf("%d %d %d\n", copy.a, copy.b, self->mine.b);
	exit(0);
}
