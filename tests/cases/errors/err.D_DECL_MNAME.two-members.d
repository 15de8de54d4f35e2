/* Members of a structure have different names. */
/* line: 3 */
struct s { int a; int a; };
