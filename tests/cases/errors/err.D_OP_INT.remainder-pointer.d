/* A pointer has no remainder. */
/* line: 3 */
BEGIN { x = curthread % 2; }
