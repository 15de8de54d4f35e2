/* printf() adds nothing. */
#pragma D option quiet

BEGIN
{
	printf("a");
	printf("b");
	printf("%d", 1);
	printf("c\n");
	exit(0);
}
