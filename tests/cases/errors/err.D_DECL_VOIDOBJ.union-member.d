/* A member is no void. */
/* line: 3 */
union u { void v; int i; };
