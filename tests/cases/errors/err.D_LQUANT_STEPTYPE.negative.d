/* A step is positive. */
/* line: 3 */
BEGIN { @ = lquantize(1, 0, 10, -1); }
