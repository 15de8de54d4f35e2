/* # puts the base in front. */
#pragma D option quiet

BEGIN
{
	printf("%#x %#X %#o %#x\n", 255, 255, 8, 0);
	exit(0);
}
