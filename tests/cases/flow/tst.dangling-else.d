/* An else belongs to the nearest if. */
#pragma D option quiet

BEGIN
{
	x = 1;
	if (x)
		if (x > 1)
			printf("a\n");
		else
			printf("b\n");
	if (!x) {
		if (x > 1)
			printf("c\n");
	} else
		printf("d\n");
	exit(0);
}
