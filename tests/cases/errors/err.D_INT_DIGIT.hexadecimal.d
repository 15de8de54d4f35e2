/* g is no hexadecimal digit. */
/* line: 3 */
BEGIN { x = 0x1g; }
