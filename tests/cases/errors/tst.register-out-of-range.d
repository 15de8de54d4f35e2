/* There is no such register. */
#pragma D option quiet

ERROR
{
	printf("error %d at %d\n", arg4, arg5);
}

BEGIN
{
	this->n = 21;
	printf("%d\n", uregs[this->n]);
}

BEGIN
{
	exit(0);
}
