/* The last component of a path, as basename(3) has it. */
#pragma D option quiet

BEGIN
{
	p = "/usr/bin/env";
	printf("%s %s %s\n", basename(p), basename("/usr/"), basename("usr"));
	printf("%s %s %s\n", basename("/"), basename("//"), basename("."));
	printf("%s\n", basename(""));
	exit(0);
}
