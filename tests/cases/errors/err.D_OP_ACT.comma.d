/* An action is no operand of a comma. */
/* line: 3 */
BEGIN { trace(1), trace(2); }
