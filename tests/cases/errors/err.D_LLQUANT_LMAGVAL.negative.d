/* The low magnitude is not negative. */
/* line: 3 */
BEGIN { @ = llquantize(1, 10, -1, 6, 20); }
