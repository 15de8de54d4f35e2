/* A base that there is none of is an error at run time. */
#pragma D option quiet

ERROR
{
	printf("error %d\n", arg4);
}

BEGIN
{
	printf("%s", lltostr(1, 37));
}

BEGIN
{
	printf("%d", strtoll("1", 1));
}

BEGIN
{
	exit(0);
}
