/* Strings have no bits to combine. */
/* line: 3 */
BEGIN { x = execname | 1; }
