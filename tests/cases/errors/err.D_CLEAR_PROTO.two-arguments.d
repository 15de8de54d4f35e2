/* clear() takes one aggregation. */
/* line: 3 */
BEGIN { @a = count(); clear(@a, 1); }
