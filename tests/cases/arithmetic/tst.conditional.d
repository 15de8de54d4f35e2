/* ?: groups from the right, evaluates one side only, and has the type of both. */
#pragma D option quiet

BEGIN
{
	x = 0;
	n = 7;
	y = n ? 5 : (x = 9);
	printf("%d %d\n", x, y);
	printf("%s\n", n == 0 ? "none" : n == 1 ? "one" : "many");
	printf("%d %d\n", sizeof (1 ? 1 : 1L), n > 3 ? n : 3);
	exit(0);
}
