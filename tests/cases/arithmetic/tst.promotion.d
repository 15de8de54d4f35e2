/* Operands narrower than int are made ints before anything is computed. */
#pragma D option quiet

BEGIN
{
	c = (char)200;
	uc = (unsigned char)255;
	s = (short)32767;
	printf("%d %d %d\n", c, uc, s);
	printf("%d %d %d\n", uc + 1, s + 1, c + c);
	printf("%d %d %d\n", ~(unsigned char)0, (unsigned char)~0, -(char)-128);
	printf("%d %d\n", sizeof (uc + uc), sizeof (-c));
	printf("%d\n", uc << 4);
	exit(0);
}
