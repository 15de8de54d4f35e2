/* self->x outlives the firing. */
#pragma D option quiet

BEGIN
{
	self->x = 3;
	self->x += 4;
}

BEGIN
{
	printf("%d\n", self->x);
	self->x = 0;
	printf("%d\n", self->x);
	exit(0);
}
