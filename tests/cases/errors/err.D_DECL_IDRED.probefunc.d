/* D's own variables are not declared again. */
/* line: 3 */
string probefunc; BEGIN { exit(0); }
