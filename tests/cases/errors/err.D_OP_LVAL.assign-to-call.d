/* The result of a function is no place. */
/* line: 3 */
BEGIN { strlen(execname) = 1; }
