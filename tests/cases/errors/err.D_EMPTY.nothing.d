/* A program without a clause; the whole of it is wrong, from its first line on. */
/* line: 1 */

int x;
