/* This declares nothing. */
/* line: 3 */
int;
