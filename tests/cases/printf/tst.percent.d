/* Percent signs. */
#pragma D option quiet

BEGIN
{
	printf("%%d 100%% %d%%\n", 5);
	exit(0);
}
