/* A clause-local variable is no associative array. */
/* line: 3 */
this int a[int];
