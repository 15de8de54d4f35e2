/* The bounds are the same in each use. */
/* line: 6 */

BEGIN { @ = lquantize(1, 0, 10, 1); }

END { @ = lquantize(1, 0, 20, 1); }
