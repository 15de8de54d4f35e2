/* A function does not return a structure. */
/* line: 4 */
struct s { int a; };
function struct s f(int x) { return x; } BEGIN { f(1); }
