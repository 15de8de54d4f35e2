/* An element may be another's key. */
#pragma D option quiet

BEGIN
{
	next["a"] = "b";
	next["b"] = "c";
	next["c"] = "a";
	printf("%s %s\n", next[next["a"]], next[next[next["a"]]]);
	exit(0);
}
