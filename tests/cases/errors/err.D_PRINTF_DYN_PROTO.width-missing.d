/* A * takes an argument of its own. */
/* line: 3 */
BEGIN { printf("%*d"); }
