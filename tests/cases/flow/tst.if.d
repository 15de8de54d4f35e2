/* if with and without else. */
#pragma D option quiet

BEGIN
{
	x = 5;
	if (x > 3)
		printf("greater\n");
	if (x > 7)
		printf("much greater\n");
	else
		printf("not much\n");
	exit(0);
}
