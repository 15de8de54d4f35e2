/* The base is an int. */
/* line: 3 */
BEGIN { @ = lquantize(1, 0x80000000, 0x80000010, 1); }
