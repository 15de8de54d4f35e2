/* 0 and NULL are the empty string where a string is wanted: what a variable has that was not assigned, or was forgotten. */
#pragma D option quiet

string g;
self string t;
string name[string], other[int];
this string c;

inline int NOTHING = 0;

BEGIN
{
	printf("%d%d%d %d%d\n", g == 0, self->t == NULL, this->c == 0, name["k"] != 0, NULL != other[1]);
	g = "global";
	self->t = strjoin("thr", "ead");
	this->c = "clause";
	printf("%d%d%d\n", g == 0, self->t != NULL, 0 != this->c);
	g = NULL;
	self->t = 0;
	this->c = (char *)0;
	printf("[%s][%s][%s] %d\n", g, self->t, this->c, (g = NOTHING) == "");
}

BEGIN
{
	name["k"] = "kept";
	name["l"] = "lost";
	other[1] = "one";
	name["l"] = 0;
	other[1] = NULL;
	name["never"] = 0;
	printf("[%s][%s][%s][%s]\n", name["k"], name["l"], other[1], name["never"]);
	name["l"] = "again";
	self->query = "select";
	self->query = 0;
	printf("[%s][%s] %d\n", name["l"], self->query, strlen(self->query));
	exit(0);
}
