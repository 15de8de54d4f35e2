/* Results of string functions are arguments of others. */
#pragma D option quiet

BEGIN
{
	p = "/var/log/Messages.LOG";
	printf("%s\n", substr(basename(p), 0, index(basename(p), ".")));
	printf("%s\n", strjoin(toupper(basename(dirname(p))), tolower(strrchr(p, '.'))));
	exit(0);
}
