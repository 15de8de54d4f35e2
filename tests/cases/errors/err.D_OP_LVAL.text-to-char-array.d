/* A string does not become an array. */
/* line: 4 */
struct s { char a[8]; } x;
BEGIN { x.a = 1; }
