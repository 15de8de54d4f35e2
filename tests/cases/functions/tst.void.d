/* A function without a result, which prints. */
#pragma D option quiet

function void
show(int n)
{
	if (n > 9)
		return;
	printf("<%d>", n);
}

BEGIN
{
	for (int i = 7; i < 13; i++)
		show(i);
	show(1);
	printf("\n");
	exit(0);
}
