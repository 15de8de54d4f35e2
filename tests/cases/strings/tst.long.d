/* The default of 256 bytes holds 255 characters. */
#pragma D option quiet

BEGIN
{
	s = "";
	for (int i = 0; i < 30; i++)
		s = strjoin(s, "0123456789");
	printf("%d %s\n", strlen(s), substr(s, 250));
	exit(0);
}
