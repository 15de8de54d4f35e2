/* The time stands still within a firing. */
#pragma D option quiet

BEGIN
{
	self->t = timestamp;
	for (int i = 0; i < 100; i++)
		x += i;
	printf("%d %d\n", timestamp == self->t, timestamp > 0);
}

BEGIN
{
	printf("%d\n", timestamp == self->t);
	exit(0);
}

long x;
