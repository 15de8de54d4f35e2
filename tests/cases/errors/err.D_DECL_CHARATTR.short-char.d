/* A char is neither short nor long. */
/* line: 3 */
short char c;
