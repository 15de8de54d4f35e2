/* Members of a few bits are read from where they lie. */
#pragma D option quiet

struct bits {
	unsigned int low:3;
	int middle:5;
	unsigned int high:8;
};

BEGIN
{
	this->raw = (unsigned int *)alloca(4);
	*this->raw = 0xab00 | 0x1e << 3 | 5;
	this->b = (struct bits *)this->raw;
	printf("%d %d %x\n", this->b->low, this->b->middle, this->b->high);
	exit(0);
}
