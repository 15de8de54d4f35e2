/* 10 to the power of 21 does not fit into 64 bits. */
/* line: 3 */
BEGIN { @ = llquantize(1, 10, 0, 20, 20); }
