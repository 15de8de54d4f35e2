/* A function has no size. */
/* line: 3 */
typedef int f(int); BEGIN { trace(sizeof (f)); }
