/* Structures within structures, and arrays of them. */
#pragma D option quiet

struct pair {
	short a;
	short b;
};

struct row {
	struct pair pairs[3];
	int last;
};

BEGIN
{
	this->r = (struct row *)alloca(sizeof (struct row));
	this->r->pairs[2].b = 7;
	this->r->last = this->r->pairs[2].b * 2;
	printf("%d %d %d\n", this->r->pairs[2].a, this->r->pairs[2].b, this->r->last);
	printf("%d %d\n", sizeof (struct row), offsetof(struct row, last));
	exit(0);
}
