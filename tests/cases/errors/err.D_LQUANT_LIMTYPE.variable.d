/* The limit is a constant. */
/* line: 3 */
BEGIN { @ = lquantize(1, 0, pid, 1); }
