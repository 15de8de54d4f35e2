/* A fault leaves what the clause did before it; ERROR's clause-local variables are its own. */
#pragma D option quiet

BEGIN
{
	this->x = 5;
	g = 7;
	g = g / this->zero;
	g = 8;
}

ERROR
{
	this->x = 99;
	printf("%d %d\n", g, this->x);
}

BEGIN
{
	printf("%d %d\n", g, this->x);
	exit(0);
}

this int zero;
