/* Clauses of one probe run in the order of the text. */
#pragma D option quiet

END
{
	printf("5\n");
}

BEGIN
{
	printf("1 ");
}

dtrace:::BEGIN
{
	printf("2 ");
}

:::BEGIN
{
	printf("3 ");
}

BEGIN
{
	printf("4 ");
	exit(0);
}
