/* The lower magnitude is a constant. */
/* line: 3 */
BEGIN { @ = llquantize(1, 10, pid, 6, 20); }
