/* The size of a dump is a constant. */
/* line: 3 */
BEGIN { tracemem(curthread, pid); }
