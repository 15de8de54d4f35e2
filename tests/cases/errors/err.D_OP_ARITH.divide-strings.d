/* Strings are not divided. */
/* line: 3 */
BEGIN { x = 1 / execname; }
