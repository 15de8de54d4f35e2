/* A number has no elements. */
/* line: 3 */
BEGIN { x = 5; trace(x[1]); }
