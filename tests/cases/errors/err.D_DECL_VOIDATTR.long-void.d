/* void has no length. */
/* line: 3 */
long void *p;
