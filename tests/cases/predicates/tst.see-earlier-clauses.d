/* A predicate sees what the clauses before it did. */
#pragma D option quiet

BEGIN
{
	x = 1;
}

BEGIN
/x == 1/
{
	printf("one\n");
	x = 2;
}

BEGIN
/x == 1/
{
	printf("still one\n");
}

BEGIN
/x == 2 && !y/
{
	printf("two\n");
	exit(0);
}

int y;
