/*
 * Values in JSON texts (RFC 8259).
 *
 *	pid$target::log:entry { this->line = copyinstr(arg0); @[json(this->line, "request.method")] = count(); }
 *
 * One walk over the text, a step for each of its characters; nothing before the value that is wanted is copied. The path
 * is taken as it is: a key that has a '.' or a '[' cannot be asked for, and escapes in keys are compared as they stand.
 */

/* the value at a path like "request.sizes[2]" in a JSON text: of a string what is between its quotes; empty if there is none */
function string json(string text, string path)
{
	char *t = (char *)alloca(strlen(text) + 1);
	char *p = (char *)alloca(strlen(path) + 1);
	int at = 0;		/* in the path: the part that is looked for */
	int depth = 0;		/* so many objects and arrays are open */
	int level = 0;		/* the path has led into so many of them */
	int base = 0;		/* the depth around an object or array that is the answer */
	int left = 0;		/* elements before the one that is looked for */
	int first = 0;		/* where the answer begins */
	int answer = 0;		/* what it is: 1 a string, 2 an object or array, 3 something else */
	int in_string = 0;	/* 2 behind a backslash */
	int key = -1;		/* what a key's next character is compared with; -1 if they differ */
	int is_array = 0;	/* what the path has led into last */
	int is_wanted = 1;	/* the path leads to or through the value that comes next */
	int is_key = 0;		/* a key comes next */
	int length = strlen(text);
	char c = 0;

	__copy_string(text, t);
	__copy_string(path, p);
	for (int i = 0; i < length; i++) {
		c = t[i];
		if (in_string) {
			if (c == '"' && in_string == 1) {
				in_string = 0;
				if (answer == 1)
					return stringof(t + first, i - first);
				if (key >= 0 && p[key] != 0 && p[key] != '.' && p[key] != '[')
					key = -1;
				continue;
			}
			in_string = c == '\\' && in_string == 1 ? 2 : 1;
			if (key >= 0)
				key = c == p[key] && c != '.' && c != '[' ? key + 1 : -1;
			continue;
		}
		if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',' || c == '}' || c == ']') {
			if (answer == 3)
				return stringof(t + first, i - first);
			if (c == ',' && depth == level && answer == 0) {
				left--;
				is_key = !is_array;
				is_wanted = is_array && left == 0;
			}
			if (c == '}' || c == ']') {
				depth--;
				if (answer == 2 && depth == base)
					return stringof(t + first, i + 1 - first);
				if (answer == 0 && depth < level)
					return "";
			}
			continue;
		}
		if (answer == 3)
			continue;
		if (c == ':') {
			if (depth == level && answer == 0) {
				is_key = 0;
				is_wanted = key >= 0;
				if (is_wanted)
					at = p[key] == '.' ? key + 1 : key;
			}
			continue;
		}
		if (is_wanted && answer == 0 && p[at] == 0) {
			answer = c == '"' ? 1 : c == '{' || c == '[' ? 2 : 3;
			first = c == '"' ? i + 1 : i;
			base = depth;
		}
		if (c == '"') {
			in_string = 1;
			key = is_key && depth == level && answer == 0 ? at : -1;
		}
		if (is_wanted && answer == 0) {
			if (c != '{' && c != '[' || (c == '[') != (p[at] == '['))
				return "";
			level++;
			is_array = c == '[';
			is_key = !is_array;
			is_wanted = 0;
			if (is_array) {
				left = 0;
				at++;
				while (p[at] >= '0' && p[at] <= '9' && left < 100000) {
					left = 10 * left + p[at] - '0';
					at++;
				}
				if (p[at] != ']')
					return "";
				at += p[at + 1] == '.' ? 2 : 1;
				is_wanted = left == 0;
			}
		}
		if (c == '{' || c == '[')
			depth++;
	}
	return answer == 3 ? stringof(t + first, length - first) : "";
}
