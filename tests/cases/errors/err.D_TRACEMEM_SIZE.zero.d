/* A dump of nothing is none. */
/* line: 3 */
BEGIN { tracemem(curthread, 0); }
