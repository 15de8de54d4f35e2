/* A type is declared before it is used. */
/* line: 3 */
BEGIN { x = (nosuch_t *)0; }
