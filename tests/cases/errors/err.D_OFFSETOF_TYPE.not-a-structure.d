/* Only structures have members. */
/* line: 3 */
BEGIN { trace(offsetof(int, x)); }
