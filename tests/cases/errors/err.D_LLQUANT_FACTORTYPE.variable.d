/* The factor is a constant. */
/* line: 3 */
BEGIN { @ = llquantize(1, pid, 0, 6, 20); }
