/* A declared array has the types that it says. */
#pragma D option quiet

char a[int, string];

BEGIN
{
	a[1, "k"] = 300;
	printf("%d %d\n", a[1, "k"], sizeof (a[1, "k"]));
	exit(0);
}
