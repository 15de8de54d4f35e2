/* Members of a structure in memory of one's own. */
#pragma D option quiet

struct point {
	int x;
	char c;
	long y;
};

BEGIN
{
	this->p = (struct point *)alloca(sizeof (struct point));
	this->p->x = -3;
	this->p->c = 300;
	this->p->y = 1L << 40;
	printf("%d %d %d\n", this->p->x, this->p->c, this->p->y);
	this->p->x += 10;
	this->p->y++;
	printf("%d %d\n", this->p->x, (*this->p).y);
	printf("%d %d %d\n", sizeof (struct point), offsetof(struct point, y), offsetof(struct point, c));
	exit(0);
}
