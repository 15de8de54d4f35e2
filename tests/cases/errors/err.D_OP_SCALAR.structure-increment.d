/* A structure is not counted up. */
/* line: 4 */
struct s { int a; } x;
BEGIN { x++; }
