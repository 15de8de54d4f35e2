/* One aggregation has one higher magnitude. */
/* line: 3 */
BEGIN { @ = llquantize(1, 10, 0, 6, 20); @ = llquantize(1, 10, 0, 7, 20); }
