/* A void * does not count. */
/* line: 4 */
void *p;
BEGIN { p++; }
