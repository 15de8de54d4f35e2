/* Nor is it chosen by ?:. */
/* line: 3 */
BEGIN { pid ? trace(1) : exit(1); }
