/* Nothing is at the address of the process. */
#pragma D option quiet

ERROR
{
	printf("error %d\n", arg4);
}

BEGIN
{
	this->q = (char *)alloca(8);
	copyinto(16, 4, this->q);
}

BEGIN
{
	exit(0);
}
