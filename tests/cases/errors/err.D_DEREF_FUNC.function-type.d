/* A function is not read. */
/* line: 3 */
typedef int f(int); BEGIN { trace(*(f *)0xffffffff81000000); }
