/* A path without its last component, as dirname(3) has it. */
#pragma D option quiet

BEGIN
{
	p = "/usr/bin/env";
	printf("%s %s %s\n", dirname(p), dirname("/usr/"), dirname("usr"));
	printf("%s %s %s\n", dirname("/"), dirname("//usr"), dirname("a/b/"));
	printf("%s %s\n", dirname(""), dirname(dirname(p)));
	exit(0);
}
