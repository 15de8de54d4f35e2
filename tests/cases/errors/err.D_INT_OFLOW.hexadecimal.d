/* 65 bits do not fit. */
/* line: 3 */
BEGIN { x = 0x1ffffffffffffffff; }
