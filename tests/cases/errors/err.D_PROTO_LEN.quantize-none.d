/* quantize() takes a value. */
/* line: 3 */
BEGIN { @ = quantize(); }
