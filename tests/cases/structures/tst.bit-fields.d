/* Bit-fields keep their width and sign, and leave their neighbours alone. */
#pragma D option quiet

struct flags { unsigned int low : 3; int middle : 5; unsigned int high : 24; long wide : 40; };
struct flags g;
self struct flags t;
this struct flags c;

BEGIN
{
	g.low = 9;
	g.middle = -3;
	g.high = 0xabcdef;
	g.wide = -1;
	printf("%d %d %x %d\n", g.low, g.middle, g.high, g.wide);
	g.middle += 18;
	g.low--;
	g.wide = 1 << 20;
	printf("%d %d %x %d\n", g.low, g.middle, g.high, g.wide);
	self->t.high = 77;
	self->t.high++;
	self->t.middle = 16;
	printf("%d %d %d %d\n", self->t.low, self->t.middle, self->t.high, this->c.low);
	trace(this->c.middle = 31);
	printf("\n%d\n", sizeof(struct flags));
	exit(0);
}
