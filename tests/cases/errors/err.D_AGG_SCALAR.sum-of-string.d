/* sum() adds numbers, which a string is not. */
/* line: 3 */
BEGIN { @ = sum(execname); }
