/* Nor has it a value. */
/* line: 3 */
BEGIN { x = trace(1); }
