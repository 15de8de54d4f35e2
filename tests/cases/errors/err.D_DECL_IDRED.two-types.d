/* A variable is declared with one type. */
/* line: 5 */

int x;
string x;

BEGIN { exit(0); }
