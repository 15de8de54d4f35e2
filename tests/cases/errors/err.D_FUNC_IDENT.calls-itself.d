/* A function does not call itself. */
/* line: 3 */
function int f(int n) { return n ? f(n - 1) : 0; } BEGIN { trace(f(3)); }
