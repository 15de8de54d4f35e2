/* A distribution is one of numbers. */
/* line: 3 */
BEGIN { @ = quantize(*curthread); }
