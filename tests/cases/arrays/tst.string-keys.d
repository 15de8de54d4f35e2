/* Strings as keys are compared by what they hold. */
#pragma D option quiet

BEGIN
{
	a["one"] = 1;
	a["two"] = 2;
	s = strjoin("t", "wo");
	printf("%d %d %d\n", a["one"], a[s], a["three"]);
	exit(0);
}
