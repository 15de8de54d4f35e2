/* ++ and += of members, prefix and postfix, of all widths. */
#pragma D option quiet

struct n { char c; short s; int i; long l; unsigned char u; };
struct n g;
struct n m[int];

BEGIN
{
	g.c = 127; g.u = 255; g.i = 2147483647;
	printf("%d %d %d %d\n", g.c++, ++g.s, g.i++, g.l--);
	printf("%d %d %d %d %d\n", g.c, g.s, g.i, g.l, ++g.u);
	printf("%d %d %d\n", m[0].i++, ++m[0].i, m[0].l -= 5);
	printf("%d %d %d\n", m[0].s <<= 2, m[0].c |= 6, m[0].i *= 21);
	exit(0);
}
