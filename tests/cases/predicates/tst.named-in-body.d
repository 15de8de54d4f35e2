/* A predicate may ask for a variable that gets its type in the clause's own body. */
#pragma D option quiet

BEGIN
/!seen/
{
	printf("first\n");
	seen = 1;
}

BEGIN
/seen && self->depth == 0 && this->name == 0/
{
	self->depth += 2;
	this->name = "two";
	printf("%d %s\n", self->depth, this->name);
}

BEGIN
/times[pid] < 1/
{
	times[pid] = 1;
	printf("%d\n", times[pid]);
	exit(0);
}
