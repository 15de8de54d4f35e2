/* Arrays of a size: global, clause-local, thread-local, as values of associative arrays; and of several dimensions. */
#pragma D option quiet

int a[3];
this short s[4];
self long t[2];
char grid[2][3];
int by[string][3];
string names[2];

BEGIN
{
	a[0] = 1; a[2] = a[0] + 1;
	this->s[3] = -1;
	this->i = 1;
	self->t[this->i] = 1 << 3;
	self->t[0] -= self->t[1];
	grid[1][2] = 'x';
	grid[this->i - 1][this->i] = 'y';
	by["k"][2] = 9;
	by["k"][this->i]++;
	names[1] = "one";
	names[0] = strjoin(names[this->i], "!");
	printf("%d %d %d %d %d %d\n", a[0], a[1], a[2], this->s[3], self->t[0], self->t[1]);
	printf("%c%c %d %d %d\n", grid[1][2], grid[0][1], by["k"][2], by["k"][1], by["none"][0]);
	printf("%s %s\n", names[0], names[1]);
	exit(0);
}
