/* A literal and a computed string that are equal are one key. */
#pragma D option quiet

BEGIN
{
	s = "k";
	@["kk"] = count();
	@[strjoin(s, s)] = count();
	printa("%s %@d\n", @);
	exit(0);
}
