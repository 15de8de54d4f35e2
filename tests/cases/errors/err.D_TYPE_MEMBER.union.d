/* A union has its members alone. */
/* line: 3 */
union u { int a; }; union u *p; BEGIN { trace(p->b); }
