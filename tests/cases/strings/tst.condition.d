/* A string chosen by ?: is as long as it is. */
#pragma D option quiet

BEGIN
{
	x = 1;
	a = "a";
	printf("%s %s\n", x ? a : "much longer", !x ? a : "much longer");
	printf("%d\n", strlen(x ? "three" : ""));
	exit(0);
}
