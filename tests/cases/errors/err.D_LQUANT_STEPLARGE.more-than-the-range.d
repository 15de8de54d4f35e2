/* The step fits between base and limit. */
/* line: 3 */
BEGIN { @ = lquantize(1, 0, 10, 11); }
