/* There is at least one step. */
/* line: 3 */
BEGIN { @ = llquantize(1, 10, 0, 6, 0); }
