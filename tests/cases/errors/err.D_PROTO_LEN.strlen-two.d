/* strlen() takes one string. */
/* line: 3 */
BEGIN { trace(strlen(execname, 1)); }
