/* The rest of the string from the first or last such character on. */
#pragma D option quiet

BEGIN
{
	s = "/usr/lib/x";
	printf("%s %s\n", strchr(s, 'u'), strrchr(s, '/'));
	printf("%s %s\n", strchr(s, '/'), strrchr(s, 'u'));
	printf("[%s][%s]\n", strchr(s, 'q'), strrchr(s, 'q'));
	exit(0);
}
