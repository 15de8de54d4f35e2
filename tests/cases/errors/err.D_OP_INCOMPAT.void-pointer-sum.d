/* Nothing is added to a void *. */
/* line: 4 */
void *p;
BEGIN { q = p + 1; }
