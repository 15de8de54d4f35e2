/* Numbers at the beginning of strings. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d %d\n", strtoll("12"), strtoll("-12x"), strtoll(" \t+7 8"), strtoll("x"));
	printf("%d %d %d %d\n", strtoll("ff", 16), strtoll("777", 8), strtoll("Zz", 36), strtoll("102", 2));
	printf("%d %d %d\n", strtoll(""), strtoll("- 1"), strtoll("9223372036854775807"));
	exit(0);
}
