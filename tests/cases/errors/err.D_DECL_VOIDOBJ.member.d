/* A member is no void. */
/* line: 3 */
struct s { void v; };
