/* ++ on variables of every scope yields the old value. */
#pragma D option quiet

BEGIN
{
	x = 1;
	self->x = 1;
	this->x = 1;
	printf("%d %d %d\n", x++, self->x++, this->x++);
	printf("%d %d %d\n", --x, --self->x, --this->x);
	exit(0);
}
