/* Nor is it true or false. */
/* line: 4 */
struct s { int a; } x;
BEGIN { trace(!x); }
