/* A string that was never assigned is empty. */
#pragma D option quiet

string s;
self string t;

BEGIN
{
	printf("[%s][%s] %d %d\n", s, self->t, s == "", strlen(self->t));
	exit(0);
}
