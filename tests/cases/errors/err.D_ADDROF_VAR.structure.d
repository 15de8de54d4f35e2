/* Nor has one that is a structure as a whole. */
/* line: 4 */
struct s { int a; } g;
BEGIN { print(&g); }
