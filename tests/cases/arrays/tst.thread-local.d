/* A thread-local array. */
#pragma D option quiet

BEGIN
{
	self->a["x"] = 1;
	self->a["y"] = 2;
}

BEGIN
{
	printf("%d %d %d\n", self->a["x"], self->a["y"], self->a["z"]);
	exit(0);
}
