/* A string is not called. */
/* line: 3 */
string s; BEGIN { s(); }
