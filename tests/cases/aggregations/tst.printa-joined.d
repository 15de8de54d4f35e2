/* Several aggregations in one printa() are joined by their keys; where one lacks a key it counts 0. */
#pragma D option quiet

BEGIN
{
	@n["a"] = count();
	@n["b"] = count();
	@n["b"] = count();
	@s["b"] = sum(50);
	@s["c"] = sum(70);
	printa("%s %@d %@d\n", @n, @s);
	exit(0);
}
