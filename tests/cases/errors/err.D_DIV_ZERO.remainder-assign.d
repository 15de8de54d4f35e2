/* A remainder by zero is none. */
/* line: 3 */
BEGIN { x = 5; x %= 0; }
