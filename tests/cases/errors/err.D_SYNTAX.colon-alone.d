/* ?: has three parts. */
/* line: 3 */
BEGIN { x = 1 ? 2; }
