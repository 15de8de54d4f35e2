/* A clause prints one line, even if it prints nothing. */

BEGIN
{
}

BEGIN
{
	printf("text %d", 5);
}

BEGIN
{
	exit(0);
}
