/* Nor is there anything at NULL, or beyond that memory. */
#pragma D option quiet

BEGIN
{
	this->p = (char *)alloca(8);
	this->p = NULL;
	this->p[0] = 1;
	printf("never\n");
}

BEGIN
{
	this->q = (char *)alloca(8);
	n = 1000000;
	x = this->q[n];
	printf("never\n");
}

BEGIN
{
	exit(0);
}

ERROR
{
	printf("%d\n", arg4);
}
