/* Nor structures. */
/* line: 4 */
struct s { int i; } g;
BEGIN { a[g] = 1; }
