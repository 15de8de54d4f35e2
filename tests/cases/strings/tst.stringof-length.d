/* stringof(address, length) reads bytes that no NUL ends, and no more of them than there are before a NUL. */
#pragma D option quiet

BEGIN
{
	this->p = (char *)alloca(8);
	this->p[0] = 'a';
	this->p[1] = 'b';
	this->p[2] = 'c';
	this->n = 2;
	printf("[%s] [%s] [%s] [%s]\n", stringof(this->p, 2), stringof(this->p, this->n - 1), stringof(this->p, 7),
	    stringof(this->p, 0));
	exit(0);
}
