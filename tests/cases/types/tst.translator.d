/* A translator makes members of one structure from another value. */
#pragma D option quiet

struct pair {
	int first;
	int second;
};

struct view {
	long total;
	int twice;
};

translator struct view < struct pair *p > {
	total = p->first + p->second;
	twice = p->first * 2;
};

BEGIN
{
	this->p = (struct pair *)alloca(sizeof (struct pair));
	this->p->first = 20;
	this->p->second = 22;
	printf("%d %d\n", xlate <struct view>(this->p).total, xlate <struct view *>(this->p)->twice);
	exit(0);
}
