/* void has no sign. */
/* line: 3 */
unsigned void *p;
