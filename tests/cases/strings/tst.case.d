/* Upper and lower case, in ASCII. */
#pragma D option quiet

BEGIN
{
	s = "Hello, World [42]";
	printf("%s\n%s\n", toupper(s), tolower(s));
	printf("%d\n", toupper(s) == toupper(tolower(s)));
	exit(0);
}
