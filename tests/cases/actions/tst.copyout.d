/* feature: user writes */
/* Nothing is at the addresses: errors, as everywhere. */
#pragma D option quiet
#pragma D option destructive

ERROR
{
	printf("error %d\n", arg4);
}

BEGIN
{
	copyoutstr("text", 16);
}

BEGIN
{
	copyout("text", 32, 4);
}

BEGIN
{
	this->p = (char *)alloca(8);
	copyout(this->p, 0, 8);
}

BEGIN
{
	this->p = (char *)alloca(8);
	copyout(this->p, 0, 0);
	printf("nothing to write is no error\n");
	exit(0);
}
