/* The step is a constant. */
/* line: 3 */
BEGIN { @ = lquantize(1, 0, 10, pid); }
