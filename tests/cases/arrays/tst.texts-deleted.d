/* needs: kernel */
/* A string that 0 is assigned to takes no room: 1,000 elements, one after the other, fit where there is room for few. */
#pragma D option quiet
#pragma D option dynvarsize=8k

BEGIN
{
	for (int i = 1; i <= 1000; i++) {
		name[i] = lltostr(i);
		last = name[i];
		name[i] = 0;
	}
	printf("%s\n", last);
	exit(0);
}
