/* The rest of the string from the first occurrence on. */
#pragma D option quiet

BEGIN
{
	s = "one two one";
	printf("[%s][%s][%s]\n", strstr(s, "two"), strstr(s, "one"), strstr(s, "three"));
	printf("[%s]\n", strstr(strstr(s, "two"), "one"));
	exit(0);
}
