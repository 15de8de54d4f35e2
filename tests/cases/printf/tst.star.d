/* A width or precision from an argument; a negative width is on the left. */
#pragma D option quiet

BEGIN
{
	w = 6;
	printf("[%*d][%-*d][%*d]\n", w, 42, w, 42, -w, 42);
	printf("[%.*s][%*.*s]\n", 2, "text", w, 3, "text");
	exit(0);
}
