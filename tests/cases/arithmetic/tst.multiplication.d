/* Products are cut to the type of the operands; a long operand makes the other one long. */
#pragma D option quiet

BEGIN
{
	i = 100000;
	l = 100000L;
	printf("%d %d\n", i * i, i * l);
	printf("%d\n", 3000000000 * 3);
	printf("%d %d\n", -i * l, i * -1);
	exit(0);
}
