/* A declaration without a value begins at 0 each time that it is reached. */
#pragma D option quiet

BEGIN
{
	for (int i = 0; i < 3; i++) {
		int n;
		string s;
		n += i + 1;
		s = strjoin(s, lltostr(n));
		printf("%d%s ", n, s);
	}
	printf("\n");
	exit(0);
}
