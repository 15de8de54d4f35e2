/* String keys differ in any of their bytes. */
#pragma D option quiet

BEGIN
{
	s = "0123456789012345678901234567890123456789";
	@[strjoin(s, "a")] = sum(1);
	@[strjoin(s, "b")] = sum(2);
	@[s] = sum(3);
	printa("%s %@d\n", @);
	exit(0);
}
