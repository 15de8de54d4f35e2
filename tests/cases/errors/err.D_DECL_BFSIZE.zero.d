/* A bit-field with a name has at least one bit. */
/* line: 3 */
struct s { int a:0; };
