/* Strings are kept in variables of every scope. */
#pragma D option quiet

BEGIN
{
	g = "global";
	self->t = "thread";
	this->c = "clause";
}

BEGIN
{
	printf("%s %s %s\n", g, self->t, this->c);
	exit(0);
}
