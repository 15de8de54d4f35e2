/* With defaultargs an argument that is not given is 0, or empty. */
#pragma D option quiet

#pragma D option defaultargs

BEGIN
{
	printf("%d [%s]\n", $1, $$2);
	exit(0);
}
