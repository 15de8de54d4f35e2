/* A string has no negative. */
/* line: 3 */
BEGIN { x = -execname; }
