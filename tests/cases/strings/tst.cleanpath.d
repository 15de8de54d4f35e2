/* Paths without what is redundant; links are not looked at. */
#pragma D option quiet

BEGIN
{
	printf("%s %s %s\n", cleanpath("/foo/../bar"), cleanpath("a//b"), cleanpath("a/./b/"));
	printf("%s %s %s\n", cleanpath("../x"), cleanpath("/.."), cleanpath("a/.."));
	printf("%s %s %s\n", cleanpath("./a"), cleanpath("/a/b/../../.."), cleanpath("/a/../../b/"));
	printf("%s %s %s\n", cleanpath("//"), cleanpath("/a/."), cleanpath("a/b/.."));
	printf("%s %s [%s]\n", cleanpath("../../a"), cleanpath("/./a//..///b/.c/..d/e.."), cleanpath(""));
	exit(0);
}
