/* Copies within memory of one's own. */
#pragma D option quiet

BEGIN
{
	this->p = (char *)alloca(8);
	this->q = (char *)alloca(8);
	this->p[0] = 'a';
	this->p[1] = 'b';
	this->p[2] = 'c';
	bcopy(this->p + 1, this->q, 2);
	printf("%s %s\n", stringof(this->p), stringof(this->q));
	exit(0);
}
