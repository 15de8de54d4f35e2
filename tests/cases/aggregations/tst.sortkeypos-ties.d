/* Values first; equal ones by the second key. */
#pragma D option quiet
#pragma D option aggsortkeypos=1

BEGIN
{
	@[1, "x"] = sum(5);
	@[2, "w"] = sum(5);
	@[3, "a"] = sum(9);
	printa("%d %s %@d\n", @);
	exit(0);
}
