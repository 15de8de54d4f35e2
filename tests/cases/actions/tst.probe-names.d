/* The names of the probe that fired. */
#pragma D option quiet

BEGIN,
END
{
	printf("[%s][%s][%s][%s]\n", probeprov, probemod, probefunc, probename);
	printf("%d %d\n", strlen(probename), probename == "END");
}

BEGIN
{
	exit(0);
}
