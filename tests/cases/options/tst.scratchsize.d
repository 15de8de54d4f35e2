#pragma D option quiet
#pragma D option scratchsize=8k

BEGIN
{
	p = (char *)alloca(6000);
	p[5999] = 'x';
	printf("%c\n", p[5999]);
	exit(0);
}
