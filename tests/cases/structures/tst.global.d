/* A global variable that is a structure: members of every kind are written and read. */
#pragma D option quiet

struct all {
	char c;
	short s;
	int i;
	long l;
	unsigned char uc;
	uint64_t u;
	string text;
	char letters[4];
	struct { int x; int y; } point;
	union { int whole; unsigned char bytes[4]; } parts;
};

struct all g;

BEGIN
{
	g.c = 'q';
	g.s = -2;
	g.i = g.s * 3;
	g.l = 1234567890123;
	g.uc = 258;
	g.u = -1;
	g.text = "hello";
	g.letters[0] = 'o';
	g.letters[1] = 'k';
	g.point.y = 7;
	g.point.x = g.point.y + 1;
	g.parts.whole = 0x01020304;
	printf("%c %d %d %d %d %u %s\n", g.c, g.s, g.i, g.l, g.uc, g.u, g.text);
	printf("%s %d %d %d %d\n", g.letters, g.point.x, g.point.y, g.parts.bytes[0], g.parts.bytes[3]);
	exit(0);
}
