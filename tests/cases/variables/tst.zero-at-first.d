/* Variables are 0 until they are assigned. */
#pragma D option quiet

int x;
uint64_t y;
self int z;
this int w;

BEGIN
{
	printf("%d %d %d %d\n", x, y, self->z, this->w);
	exit(0);
}
