/* An index is a number. */
/* line: 3 */
BEGIN { trace(substr("abc", "b")); }
