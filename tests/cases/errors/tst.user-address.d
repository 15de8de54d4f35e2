/* A bad address of the process. */
#pragma D option quiet

BEGIN
{
	s = copyinstr(16);
	printf("never\n");
}

ERROR
{
	printf("%d %d\n", arg4, arg5);
	exit(0);
}
