/* An operator has two operands. */
/* line: 3 */
BEGIN { x = 1 * / 2; }
