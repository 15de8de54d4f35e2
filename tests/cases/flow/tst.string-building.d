/* A string grows in a loop. */
#pragma D option quiet

BEGIN
{
	s = "";
	for (int i = 3; i > 0; i--) {
		s = strjoin(s, lltostr(i));
		if (i > 1)
			s = strjoin(s, ",");
	}
	printf("%s\n", s);
	exit(0);
}
