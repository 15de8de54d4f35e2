/* An array in a structure has bounds too. */
/* line: 4 */
struct { int v[4]; } g;
BEGIN { g.v[4]++; }
