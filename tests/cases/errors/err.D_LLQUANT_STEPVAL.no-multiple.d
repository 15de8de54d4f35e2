/* Steps that do not divide the factor have no even bounds. */
/* line: 3 */
BEGIN { @ = llquantize(1, 10, 0, 6, 7); }
