/* An aggregation is no operand. */
/* line: 3 */
BEGIN { @a = count(); x = 1 ? @a : 2; }
