/* By the second key. */
#pragma D option quiet
#pragma D option aggsortkey
#pragma D option aggsortkeypos=1

BEGIN
{
	@a[1, "x"] = sum(5);
	@a[2, "w"] = sum(5);
	@a[3, "a"] = sum(1);
	@b[1, "x"] = sum(1);
	@b[2, "w"] = sum(7);
	@b[3, "a"] = sum(7);
	@b[4, "q"] = sum(-2);
	printa("%d %s %@d %@d\n", @a, @b);
	exit(0);
}
