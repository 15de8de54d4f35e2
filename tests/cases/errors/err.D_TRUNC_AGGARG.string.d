/* trunc() takes an aggregation first. */
/* line: 3 */
BEGIN { trunc("x", 2); }
