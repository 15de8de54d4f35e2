/* A structure takes only its like. */
/* line: 4 */
struct s { int a; } x; struct t { int a; } y;
BEGIN { x = y; }
