/* A bit-field is not wider than its type. */
/* line: 3 */
struct s { int a:33; };
