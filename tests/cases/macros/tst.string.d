/* $$1 is an argument as a string. */
/* arguments: hello 42 */
#pragma D option quiet

BEGIN
{
	printf("%s %s %d\n", $$1, $$2, strlen($$1));
	exit(0);
}
