/* The higher magnitude is a constant. */
/* line: 3 */
BEGIN { @ = llquantize(1, 10, 0, pid, 20); }
