/* Enumeration constants count on from the one before. */
#pragma D option quiet

enum color { RED, GREEN = 5, BLUE };

BEGIN
{
	printf("%d %d %d\n", RED, GREEN, BLUE);
	printf("%d\n", sizeof (enum color));
	exit(0);
}
