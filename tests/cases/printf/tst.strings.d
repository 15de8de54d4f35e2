/* Widths and precisions of strings. */
#pragma D option quiet

BEGIN
{
	s = "text";
	printf("[%s][%8s][%-8s][%.2s][%5.1s][%-5.3s]\n", s, s, s, s, s, s);
	printf("[%2s][%s]\n", s, "");
	exit(0);
}
