/* An address in hexadecimal. */
#pragma D option quiet

BEGIN
{
	p = (char *)0x1234abcd;
	printf("%p %p %p\n", p, p + 1, 0x10);
	exit(0);
}
