/* The limit is not below the base. */
/* line: 3 */
BEGIN { @ = lquantize(1, 10, 9, 1); }
