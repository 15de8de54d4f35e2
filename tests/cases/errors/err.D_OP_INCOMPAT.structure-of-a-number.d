/* A number is no structure. */
/* line: 4 */
struct s { int a; } x;
BEGIN { x = 1; }
