/* An address is a number. */
/* line: 3 */
BEGIN { copyin("x", 3); }
