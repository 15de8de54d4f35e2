/* A bit-field's width is a constant. */
/* line: 3 */
struct s { int a:pid; };
