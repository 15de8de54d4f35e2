/* this->x is shared by the clauses of one firing, and new in the next one. */
#pragma D option quiet

BEGIN
{
	this->x = 5;
}

BEGIN
{
	this->x++;
}

BEGIN
{
	printf("%d\n", this->x);
	exit(0);
}

END
{
	printf("%d\n", this->x);
}
