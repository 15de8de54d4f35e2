/* What the output file holds is forgotten. */
#pragma D option quiet

BEGIN
{
	printf("forgotten\n");
	ftruncate();
	printf("kept\n");
	exit(0);
}
