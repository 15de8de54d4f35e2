/* An array of characters is a string where one is wanted. */
#pragma D option quiet

char word[6];
self char mine[4];
struct { char name[5]; } s;

BEGIN
{
	word[0] = 'a'; word[1] = 'b'; word[2] = 'c';
	s.name[0] = 'z';
	self->mine[0] = 'm';
	printf("%s %d %s %s\n", word, strlen(word), strjoin(s.name, "!"), self->mine);
	printf("%d %d\n", word == "abc", self->mine == "m");
	exit(0);
}
