/* clear() takes one aggregation. */
/* line: 3 */
BEGIN { clear(); }
