/* Strings go in and come out. */
#pragma D option quiet

function string
greet(string who, int times)
{
	string s = "";
	for (int i = 0; i < times; i++)
		s = strjoin(s, strjoin("hi ", strjoin(who, ";")));
	return s;
}

BEGIN
{
	printf("%s\n", greet("you", 2));
	printf("[%s]\n", greet("none", 0));
	exit(0);
}
