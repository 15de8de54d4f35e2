/* There are at most 65535 levels. */
/* line: 3 */
BEGIN { @ = lquantize(1, 0, 70000, 1); }
