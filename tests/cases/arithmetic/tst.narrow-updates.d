/* A compound assignment computes in the wider type and stores in the variable's own. */
#pragma D option quiet

char c;
unsigned char u;
short s;

BEGIN
{
	c = 100;
	c += 100;
	u = 255;
	u++;
	s = 1;
	s <<= 15;
	printf("%d %d %d\n", c, u, s);
	u--;
	s >>= 15;
	c -= 100;
	printf("%d %d %d\n", c, u, s);
	exit(0);
}
