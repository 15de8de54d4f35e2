/* An array of strings. */
#pragma D option quiet

BEGIN
{
	name[1] = "one";
	name[2] = strjoin(name[1], "+one");
	printf("[%s][%s][%s]\n", name[1], name[2], name[3]);
	name[1] = "uno";
	printf("[%s][%s]\n", name[1], name[2]);
	exit(0);
}
