/* One name too many, or the type is none. */
/* line: 3 */
int first second;
