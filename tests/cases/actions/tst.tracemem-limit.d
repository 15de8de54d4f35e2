/* As many bytes as the limit says; all of them if it is no number of bytes that there are; none if it is 0. */
#pragma D option quiet

BEGIN
{
	this->p = (char *)alloca(20);
	this->p[0] = 'a';
	this->p[6] = 'b';
	this->p[19] = 'c';
	tracemem(this->p, 20, 7);
	tracemem(this->p, 20, 0);
	tracemem(this->p, 20, 21);
	tracemem(this->p, 20, -1);
	exit(0);
}
