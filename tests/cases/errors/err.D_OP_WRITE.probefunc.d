/* probefunc cannot be assigned. */
/* line: 3 */
BEGIN { probefunc = "x"; }
