/* Nor does a pointer to a function. */
/* line: 4 */
int (*f)(int);
BEGIN { f--; }
