/* What an assignment to a narrow variable yields is the value after it was cut. */
#pragma D option quiet

char c;
unsigned short s;

BEGIN
{
	printf("%d %d\n", c = 300, s = -1);
	printf("%d %d\n", c++, ++s);
	printf("%d %d\n", c, s);
	exit(0);
}
