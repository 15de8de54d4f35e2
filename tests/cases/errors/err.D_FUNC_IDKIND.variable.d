/* A variable is not called. */
/* line: 3 */
BEGIN { x = 1; x(2); }
