/* needs: kernel */
/* A loss at the beginning and one a second later. */
#pragma D option quiet
#pragma D option statusrate=50ms

BEGIN
{
	speculation();
	speculation();
}

tick-1s
/n++ == 0/
{
	speculation();
}

tick-1s
/n == 2/
{
	exit(0);
}
