/* Structures by their types: members that are 0 are left out, arrays by elements, enumerations by names. */
#pragma D option quiet

struct inner {
	int x;
	char c[4];
};

struct whole {
	int a;
	long b;
	struct inner in;
	struct inner *p;
	unsigned short z;
	union { int q; char r; } u;
	enum kind { NONE, ONE, TWO } k;
	int bf : 3;
	unsigned int ub : 5;
	struct inner ia[2];
};

BEGIN
{
	this->p = (struct whole *)alloca(sizeof (struct whole));
	this->p->a = 7;
	this->p->b = -3;
	this->p->in.x = 5;
	this->p->in.c[0] = 'A';
	this->p->in.c[1] = 'B';
	this->p->in.c[3] = 1;
	this->p->p = (struct inner *)0xffff888000001000;
	this->p->z = 3;
	this->p->u.q = 65;
	this->p->k = TWO;
	((int *)this->p)[11] = 7 | 9 << 3;
	this->p->ia[1].x = 4;
	print(this->p);
	print(&this->p->in.x);
	exit(0);
}
