/* An action without its arguments is no value. */
/* line: 3 */
BEGIN { x = exit; }
