/* Strings are not shifted. */
/* line: 3 */
BEGIN { x = execname << 2; }
