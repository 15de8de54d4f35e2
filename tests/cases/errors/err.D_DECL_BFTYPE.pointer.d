/* A bit-field is an integer. */
/* line: 3 */
struct s { int *a:3; };
