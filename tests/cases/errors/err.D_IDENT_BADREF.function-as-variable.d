/* A function without its arguments is no value. */
/* line: 3 */
BEGIN { trace(strlen); }
