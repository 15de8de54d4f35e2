/* Texts with blanks, escapes and mistakes: json() neither looks far nor stumbles. */
#pragma D option quiet

BEGIN
{
	printf("[%s]", json("{ \"a\" : \"x\\\"]}\\\\\" , \"b\" : 1 }", "a"));
	printf("[%s]", json("{ \"a\" : \"x\\\"]}\\\\\" , \"b\" : 1 }", "b"));
	printf("[%s]", json("[1,[],{},  7 ]", "[3]"));
	printf("[%s]", json("42", ""));
	printf("[%s]\n", json("\"whole\"", ""));
	printf("[%s]", json("{\"a\": \"not closed", "a"));
	printf("[%s]", json("{\"a\": {\"b\": 1", "a"));
	printf("[%s]", json("", "a"));
	printf("[%s]", json("}}}]]", "a"));
	printf("[%s]", json("{\"a\":1}", "a[0]"));
	printf("[%s]\n", json("[1,2]", "[x]"));
	printf("[%s]", json("{\"ab\":1,\"a\":2}", "a"));
	printf("[%s]", json("{\"a\":1,\"ab\":2}", "ab"));
	printf("[%s]", json("{\"x\":{\"a\":1},\"a\":3}", "a"));
	printf("[%s]\n", json("{\"v\":\"a\",\"a\":4}", "a"));
	printf("%d %d\n", json("{\"a\":1}", "b") == NULL, strtoll(json("{\"a\":17}", "a")) + 1);
	exit(0);
}
