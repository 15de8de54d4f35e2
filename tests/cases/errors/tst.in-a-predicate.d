/* A fault in a predicate: the clause does not run. */
#pragma D option quiet

BEGIN
/1 / zero/
{
	printf("never\n");
}

BEGIN
{
	printf("next\n");
	exit(0);
}

int zero;
