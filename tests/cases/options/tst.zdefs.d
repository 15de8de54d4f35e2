#pragma D option quiet
#pragma D option zdefs

syscall::no_such_call:entry
{
	printf("never\n");
}

BEGIN
{
	printf("the others run\n");
	exit(0);
}
