/* needs: kernel */
/* Two stacks of one place are one key; what a kernel function is called from is the stack's second address. */
#pragma D option quiet

BEGIN
{
	for (this->i = 0; this->i < 2; this->i++) {
		@k[stack(3)] = count();
	}
	printf("%d %d\n", stackdepth > 0, caller < 0);
	trunc(@k);
	exit(0);
}
