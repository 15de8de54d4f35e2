/* A negative number in hexadecimal is as wide as its type. */
#pragma D option quiet

BEGIN
{
	c = (char)-1;
	s = (short)-1;
	printf("%x %x %x %x\n", c, s, -1, -1L);
	printf("%u %u\n", c, s);
	exit(0);
}
