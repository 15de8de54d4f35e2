/* The limit is above the base. */
/* line: 3 */
BEGIN { @ = lquantize(1, 10, 10, 1); }
