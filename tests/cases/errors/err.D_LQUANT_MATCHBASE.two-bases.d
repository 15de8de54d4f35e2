/* The lower one, too. */
/* line: 6 */

BEGIN { @ = lquantize(1, 0, 10, 1); }

END { @ = lquantize(1, 1, 10, 1); }
