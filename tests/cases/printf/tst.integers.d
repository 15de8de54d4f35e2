/* Integers in several bases. */
#pragma D option quiet

BEGIN
{
	x = 255;
	printf("%d %i %u %o %x %X %c%%\n", x, x, x, x, x, x, 65);
	printf("%d %d\n", -x, 9223372036854775807);
	exit(0);
}
