/* Values in a JSON text by their paths; empty where there is none. */
#pragma D option quiet
#pragma D option strsize=512

BEGIN
{
	this->j = "{\"a\": {\"b\": [10, {\"c\": \"he\"}, [1, 2, [3]], -2.5e3], \"bb\": \"not b\"}, \"t\": true, \"n\": null, \"s\": \"\", \"e\": {}, \"deep\": {\"b\": 5}}";
	printf("%s|", json(this->j, "a.b[0]"));
	printf("%s|", json(this->j, "a.b[1].c"));
	printf("%s|", json(this->j, "a.b[2]"));
	printf("%s|", json(this->j, "a.b[2][2][0]"));
	printf("%s|", json(this->j, "a.b[3]"));
	printf("%s|", json(this->j, "a.bb"));
	printf("%s|", json(this->j, "t"));
	printf("%s|", json(this->j, "n"));
	printf("%s|", json(this->j, "s"));
	printf("%s|", json(this->j, "e"));
	printf("%s|", json(this->j, "deep.b"));
	printf("%s|", json(this->j, "a.b[4]"));
	printf("%s|", json(this->j, "zz"));
	printf("%s|", json(this->j, "t.x"));
	printf("%s|", json(this->j, "a.b.c"));
	printf("%s|", json(this->j, "a[0]"));
	printf("%s|", json(this->j, ""));
	printf("%s|", json(this->j, "b"));
	exit(0);
}
