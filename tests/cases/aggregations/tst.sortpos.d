/* By the second aggregation's values; 3 and 2 both have 7 there, and 1 is less than 5 in the first. */
#pragma D option quiet
#pragma D option aggsortpos=1

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
