/* Probe names are strings like any other. */
#pragma D option quiet

BEGIN
{
	s = probename;
	a[probename] = 5;
	printf("%s %d %s\n", s, a["BEGIN"], strjoin(probeprov, strjoin(":", tolower(probename))));
	exit(0);
}
