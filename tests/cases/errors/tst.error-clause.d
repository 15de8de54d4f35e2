/* ERROR fires where the fault is: arg1 is the clause, arg4 the kind, arg5 the address. */
#pragma D option quiet

BEGIN
{
	printf("first\n");
}

BEGIN
{
	x = *(int *)16;
}

ERROR
{
	printf("clause %d kind %d address %d\n", arg1, arg4, arg5);
}

BEGIN
{
	printf("last\n");
	exit(0);
}
