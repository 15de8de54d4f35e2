/* A char is neither short nor long. */
/* line: 3 */
long char c;
