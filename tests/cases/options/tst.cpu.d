/* needs: kernel */
#pragma D option quiet
#pragma D option cpu=0

profile-499
/cpu == 0/
{
	here = 1;
}

profile-499
/cpu != 0/
{
	elsewhere = 1;
}

tick-1s
{
	printf("%d %d\n", here, elsewhere);
	exit(0);
}
