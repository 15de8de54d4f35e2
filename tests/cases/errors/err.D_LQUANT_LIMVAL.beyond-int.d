/* The limit is an int. */
/* line: 3 */
BEGIN { @ = lquantize(1, 0, 0x80000000, 0x10000); }
