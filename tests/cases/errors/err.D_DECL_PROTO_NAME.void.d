/* void has no name. */
/* line: 3 */
int f(void nothing);
