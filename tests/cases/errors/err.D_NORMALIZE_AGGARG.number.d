/* normalize() takes an aggregation. */
/* line: 3 */
BEGIN { normalize(1, 2); }
