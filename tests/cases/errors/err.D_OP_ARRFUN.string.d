/* Nor has a string. */
/* line: 3 */
BEGIN { trace(execname[1]); }
