/* Strings are not multiplied. */
/* line: 3 */
BEGIN { x = execname * 2; }
