/* Arguments and results are converted to the declared types. */
#pragma D option quiet

function char
narrow(unsigned char x)
{
	return x;
}

BEGIN
{
	printf("%d %d\n", narrow(300), narrow(200));
	exit(0);
}
