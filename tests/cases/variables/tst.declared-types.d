/* A declared variable keeps what fits in its type. */
#pragma D option quiet

int8_t a;
uint16_t b;
unsigned int c;
long long d;

BEGIN
{
	a = 300;
	b = -1;
	c = -1;
	d = -1;
	printf("%d %d %u %d\n", a, b, c, d);
	exit(0);
}
