/* sizeof() of variables, members and elements; offsetof(). */
#pragma D option quiet

struct s { char c; long l; short v[3]; };
struct s g;
struct s many[4];
this int a[5];
struct s by[string];

BEGIN
{
	printf("%d %d %d %d %d\n", sizeof(g), sizeof(g.v), sizeof(many), sizeof(many[0].l), sizeof(this->a));
	printf("%d %d %d\n", sizeof(by["x"]), offsetof(struct s, v), sizeof(g.v[0]));
	exit(0);
}
